//! The command line. In: arguments. Out: values, or a sentence.

use std::path::PathBuf;

use clap::Parser;

use crate::router::Router;

/// How many engines a team needs: developers, a gateway and engines, simulated.
///
/// Developers type in bursts; some of their keys ask an engine, and the next key drops what was not answered yet.
/// Engines serve several at once and keep what they have read in a KV cache. For each number of developers and
/// each way of sharing them out it looks for the least number of engines with which 95 of 100 requests are answered
/// within the bar; those that were dropped are reckoned in. It prints tables (Markdown), and writes them with two plots.
///
/// What it is fed with is in benches/fleet/figures.toml, which says where each figure is from. Of a GPU nobody has
/// measured any here: copy the file, put your own there, and give it with --figures.
#[derive(Parser)]
#[command(name = "fleet", after_help = EXAMPLES)]
pub struct Options {
    /// How many developers there are: one number, or several.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000,10000,100000")]
    pub developers: Vec<u32>,
    /// Which engine: one of those in the figures.
    #[arg(long, default_value = "gpu")]
    pub engine: String,
    /// Ways to share the requests out: round-robin, least-loaded, by-prefix.
    #[arg(long, value_delimiter = ',', value_parser = router, default_value = "round-robin,least-loaded,by-prefix")]
    pub routers: Vec<Router>,
    /// What 95 of 100 requests may take, from key to answer, ms.
    #[arg(long, default_value_t = 300.0, allow_negative_numbers = true)]
    pub bar: f64,
    /// So many engines, instead of looking for the least that hold the bar.
    #[arg(long)]
    pub engines: Option<usize>,
    /// Requests with which an engine is full, so that by-prefix goes on to the next; as many as it has slots,
    /// unless set.
    #[arg(long)]
    pub full: Option<u32>,
    /// As with `completion.ahead = false`: nothing is asked for that nobody waits for.
    #[arg(long)]
    pub no_ahead: bool,
    /// A file with other figures.
    #[arg(long)]
    pub figures: Option<PathBuf>,
    /// Another seed is another team.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the tables and plots go.
    #[arg(long, default_value = "target/fleet")]
    pub out: PathBuf,
    /// cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
}

const EXAMPLES: &str = "\
Examples:
  make fleet
  make fleet FLEET='--engine cpu --bar 5000 --developers 10,100'
  make fleet FLEET='--figures mine.toml --engine ours --developers 240'
  make fleet FLEET='--developers 240 --engines 3'    how good three would be";

/// Of one run; a place of each is a number of 32 bits.
const MOST_DEVELOPERS: u32 = 1_000_000;

impl Options {
    /// # Errors
    /// What is wrong; also where only help was asked for, which ends the program.
    pub fn read() -> Result<Options, String> {
        let options = Options::try_parse().map_err(|error| {
            if !error.use_stderr() {
                error.exit();
            }
            error.to_string().trim_start_matches("error: ").to_owned()
        })?;
        if let Some(wrong) = options.developers.iter().find(|n| !(1..=MOST_DEVELOPERS).contains(*n))
        {
            return Err(format!("--developers takes 1 to {MOST_DEVELOPERS}, not {wrong}"));
        }
        if options.bar.is_nan() || options.bar <= 0.0 {
            return Err("--bar takes ms, more than 0".to_owned());
        }
        if options.engines == Some(0) || options.full == Some(0) {
            return Err("--engines and --full take 1 or more".to_owned());
        }
        Ok(options)
    }
}

fn router(name: &str) -> Result<Router, String> {
    Router::ALL.into_iter().find(|router| router.name() == name).ok_or_else(|| {
        format!("there is none such; there are {}", Router::ALL.map(Router::name).join(", "))
    })
}
