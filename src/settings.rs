//! Settings: raw values from four places → one validated [`Settings`].
//!
//! In: the user's `config.toml`, the editor's `initializationOptions`, its `workspace/configuration`
//! and `didChangeConfiguration`; later ones win, key by key. Out: settings, and warnings for a
//! person. Refuses: unknown keys (named in a warning), values of the wrong type (that layer is
//! left out), and, from anywhere but the user's own file, the keys in [`USER_ONLY`]: a workspace
//! must not choose which file is loaded or where anything is sent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::ledger::Limits;
use crate::ask::price::ModelPrices;
use crate::completer::Style;
use crate::engine::family::Family;
use crate::prompt::Budget;

/// The variable with the token for completions over HTTP.
pub const HTTP_TOKEN: &str = "TANDEM_HTTP_TOKEN";

/// The variable with the key for engines elsewhere.
pub const REMOTE_KEY: &str = "TANDEM_REMOTE_KEY";

/// Keys that only the user's own `config.toml` may set.
pub const USER_ONLY: [&str; 4] = ["model_path", "remote", "ask", "http"];

/// Everything a person can set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// Complete at all.
    pub enabled: bool,
    /// Which model to use: a name from `tandem model list`, or `auto` for the one that suits this
    /// machine's GPU, else the smallest, as far as they are installed.
    pub model: String,
    /// A GGUF file to use instead. Only in your own `config.toml`.
    pub model_path: Option<PathBuf>,
    /// Languages (as the editor names them) without completions.
    pub disabled_languages: Vec<String>,
    /// Offer ghost text: `auto` where the editor can show it.
    pub ghost_text: Offer,
    /// Offer completions in the popup menu: `auto` where the editor has no ghost text (Helix).
    pub popup: Offer,
    /// How much is suggested.
    pub completion: CompletionSettings,
    /// How much of the document the model sees.
    pub context: ContextSettings,
    /// How the model runs.
    pub engine: EngineSettings,
    /// Engines on other machines instead. Only in your own `config.toml`.
    pub remote: RemoteSettings,
    /// What is written down of the suggestions.
    pub journal: JournalSettings,
    /// Asking Claude. Only in your own `config.toml`.
    pub ask: AskSettings,
    /// Completions over HTTP, for `tandem serve --http`. Only in your own `config.toml`.
    pub http: HttpSettings,
}

/// Whether to offer something to the editor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// As fits the editor.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How much is suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CompletionSettings {
    /// Tokens generated at most for the rest of a line.
    #[schemars(range(min = 1, max = 256))]
    pub line_tokens: u32,
    /// Tokens generated at most for a block; 0 for never more than a line.
    #[schemars(range(min = 0, max = 1024))]
    pub block_tokens: u32,
    /// Milliseconds that a block is waited for; then it is shown as far as it is, and the rest comes
    /// when you have taken that.
    #[schemars(range(min = 0, max = 60_000))]
    pub block_ms: u32,
    /// Percent: an answer with a token that the model itself held less likely than this is not shown
    /// unless you ask, or type its beginning. 0 shows all.
    #[schemars(range(min = 0, max = 100))]
    pub confidence: u32,
    /// Answer from the last suggestions, without the model, while you type along.
    pub reuse: bool,
    /// Work ahead while you read: have opened files ready, and the lines after a suggestion. Stops
    /// by itself after a second or two; turn it off to save power.
    pub ahead: bool,
    /// Suggest inside strings and comments while you type. When you ask, it is always done.
    pub in_strings_and_comments: bool,
}

/// How much of the document the model sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContextSettings {
    /// Bytes before the cursor.
    #[schemars(range(min = 200, max = 100_000))]
    pub prefix_bytes: u32,
    /// Bytes after the cursor.
    #[schemars(range(min = 0, max = 50_000))]
    pub suffix_bytes: u32,
    /// Bytes of definitions from other files of the workspace; 0 to read no other file.
    #[schemars(range(min = 0, max = 10_000))]
    pub definitions_bytes: u32,
}

/// How the model runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EngineSettings {
    /// Threads; 0 for one per core.
    #[schemars(range(min = 0, max = 64))]
    pub threads: u32,
    /// Layers to put on the GPU; all that fit when not set.
    pub gpu_layers: Option<u32>,
    /// Tokens that the context of one document may hold.
    #[schemars(range(min = 256, max = 131_072))]
    pub context_tokens: u32,
    /// Documents whose context is kept at the same time, as far as an eighth of the memory allows.
    #[schemars(range(min = 1, max = 32))]
    pub documents: u32,
    /// Guess tokens from the document and verify several at once, where that is faster on this
    /// machine. Suggestions are the same.
    pub guess: bool,
    /// A smaller model of the same family, by its name in `tandem model list`, that drafts tokens for this one to
    /// verify: it pays beside a model of 7B and more. Suggestions are the same. `tandem doctor` says whether it is
    /// used.
    pub draft: Option<String>,
    /// Megabytes on disk for what the model made of your documents, so that a file opened again is
    /// ready at once; 0 to keep nothing. Only you can read it; `tandem cache clear` removes it.
    #[schemars(range(min = 0, max = 100_000))]
    pub states_mb: u32,
    /// Minutes after which the engine stops when no editor uses it.
    #[schemars(range(min = 0, max = 1440))]
    pub idle_minutes: u32,
    /// Use the file that `tandem model optimize` made for this CPU, where there is one.
    pub optimized: bool,
    /// LoRA adapters to add to the model, by their names in `tandem model list`, each with its scale: 1 as it
    /// was trained, 0 for none of it, 2 at most. A change counts from the next key on.
    pub adapters: BTreeMap<String, f32>,
}

/// Engines on other machines: whoever runs them sees the code around your cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoteSettings {
    /// Servers with OpenAI's `/v1/completions` that take raw prompts (llama-server, vLLM, SGLang, a gateway), the
    /// preferred one first. While there is one, no model runs on this machine. Restart the editor after a
    /// change.
    pub addresses: Vec<String>,
    /// The model as they call it; the first that each has, where it is not set.
    pub model: Option<String>,
    /// How that model reads code with a hole in it; told from its name where it is not set.
    pub family: Option<Family>,
    /// A file with certificates (PEM) to trust besides the usual ones: those of your own authority.
    pub ca_file: Option<PathBuf>,
    /// A command that prints the key, run where `TANDEM_REMOTE_KEY` is not set. Without either the one counts that
    /// `tandem key set --remote` put into the system's keyring.
    pub key_helper: Option<String>,
    /// Allow http, without encryption, to other machines.
    pub insecure_http: bool,
    /// When none of them answers, use the model on this machine.
    pub local: bool,
}

/// What is written down of the suggestions, on this machine and for you alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JournalSettings {
    /// Keep a journal of what was shown, accepted and kept: times, languages and numbers, no text, no
    /// path.
    pub enabled: bool,
}

/// Completions over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HttpSettings {
    /// What clients must send as `Authorization: Bearer`, so that other users of the machine get no
    /// answers. `TANDEM_HTTP_TOKEN` goes before it.
    pub token: Option<String>,
}

/// Asking Claude: what is sent only after you have seen it and said yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AskSettings {
    /// Offer to ask Claude at all. Nothing is sent before you say so either way.
    pub enabled: bool,
    /// `sonnet`, `opus`, `haiku`, or a model's full name.
    pub model: String,
    /// Where the API is, if not at Anthropic: a gateway's address. `ANTHROPIC_BASE_URL` counts where
    /// this is not set.
    pub base_url: Option<String>,
    /// A proxy's address; the system's proxy settings count where this is not set.
    pub proxy: Option<String>,
    /// A command that prints a key, run when there is none in the environment or the keyring.
    pub key_helper: Option<String>,
    /// How hard Claude thinks: `low`, `medium`, `high`; the model's own default where not set.
    pub effort: Option<Effort>,
    /// Tokens of your files that are sent at most, estimated.
    #[schemars(range(min = 500, max = 500_000))]
    pub bundle_tokens: u32,
    /// Tokens that an answer may take, thinking included.
    #[schemars(range(min = 256, max = 128_000))]
    pub answer_tokens: u32,
    /// Folders of workspaces whose questions are sent without a look at them first. The budget holds.
    pub always: Vec<PathBuf>,
    /// Files that are never sent, as patterns of a `.gitignore`, besides those that ignore files and
    /// tandem's own list name.
    pub never: Vec<String>,
    /// How much may be spent.
    pub budget: BudgetSettings,
    /// Models and prices that you know better than tandem, as in its own table.
    pub models: Vec<ModelPrices>,
}

/// How hard a model thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    Low,
    Medium,
    High,
}

/// Dollars that may be spent on asking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BudgetSettings {
    /// On one question.
    pub request_dollars: f64,
    /// In a day, from midnight to midnight where you are.
    pub day_dollars: f64,
    /// In a month, from its first day.
    pub month_dollars: f64,
}

impl Default for AskSettings {
    fn default() -> Self {
        AskSettings {
            enabled: true,
            model: "sonnet".into(),
            base_url: None,
            proxy: None,
            key_helper: None,
            effort: None,
            bundle_tokens: 24_000,
            answer_tokens: 16_000,
            always: Vec::new(),
            never: Vec::new(),
            budget: BudgetSettings::default(),
            models: Vec::new(),
        }
    }
}

impl BudgetSettings {
    /// As the ledger counts it.
    pub fn limits(&self) -> Limits {
        Limits::dollars(self.request_dollars, self.day_dollars, self.month_dollars)
    }
}

impl Default for BudgetSettings {
    fn default() -> Self {
        BudgetSettings { request_dollars: 1.0, day_dollars: 5.0, month_dollars: 50.0 }
    }
}

impl Default for JournalSettings {
    fn default() -> Self {
        JournalSettings { enabled: true }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            enabled: true,
            model: "auto".into(),
            model_path: None,
            disabled_languages: Vec::new(),
            ghost_text: Offer::Auto,
            popup: Offer::Auto,
            completion: CompletionSettings::default(),
            context: ContextSettings::default(),
            engine: EngineSettings::default(),
            remote: RemoteSettings::default(),
            journal: JournalSettings::default(),
            ask: AskSettings::default(),
            http: HttpSettings::default(),
        }
    }
}

impl Default for CompletionSettings {
    fn default() -> Self {
        let Style { line_tokens, block_tokens, reuse, ahead, confidence, .. } = Style::default();
        let Style { block_wait, in_strings_and_comments, .. } = Style::default();
        let block_ms = block_wait.as_millis() as u32;
        CompletionSettings {
            line_tokens,
            block_tokens,
            block_ms,
            confidence,
            reuse,
            ahead,
            in_strings_and_comments,
        }
    }
}

impl Default for ContextSettings {
    fn default() -> Self {
        let Style { budget: Budget { prefix, suffix, .. }, context, .. } = Style::default();
        ContextSettings {
            prefix_bytes: prefix as u32,
            suffix_bytes: suffix as u32,
            definitions_bytes: context as u32,
        }
    }
}

impl Default for EngineSettings {
    fn default() -> Self {
        EngineSettings {
            threads: 0,
            gpu_layers: None,
            context_tokens: 2_048,
            documents: 4,
            guess: true,
            draft: None,
            states_mb: 256,
            idle_minutes: 5,
            optimized: true,
            adapters: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// How to complete.
    pub fn style(&self) -> Style {
        let budget = Budget {
            prefix: self.context.prefix_bytes as usize,
            suffix: self.context.suffix_bytes as usize,
            ..Budget::default()
        };
        let CompletionSettings { line_tokens, block_tokens, block_ms, confidence, .. } =
            self.completion;
        let CompletionSettings { reuse, ahead, in_strings_and_comments, .. } = self.completion;
        let block_wait = Duration::from_millis(u64::from(block_ms));
        let context = self.context.definitions_bytes as usize;
        let style = Style { budget, context, line_tokens, block_tokens, ..Style::default() };
        Style { block_wait, confidence, reuse, ahead, in_strings_and_comments, ..style }
    }

    /// How long an unused engine stays.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.engine.idle_minutes) * 60)
    }

    /// Values outside their range, brought back into it; a warning for each.
    fn clamped(mut self, warnings: &mut Vec<String>) -> Settings {
        let mut clamp = |name: &str, value: &mut u32, least: u32, most: u32| {
            let within = (*value).clamp(least, most);
            if within != *value {
                warnings.push(format!("{name} must be {least} to {most}; using {within}"));
                *value = within;
            }
        };
        clamp("completion.line_tokens", &mut self.completion.line_tokens, 1, 256);
        clamp("completion.block_tokens", &mut self.completion.block_tokens, 0, 1_024);
        clamp("completion.block_ms", &mut self.completion.block_ms, 0, 60_000);
        clamp("context.definitions_bytes", &mut self.context.definitions_bytes, 0, 10_000);
        clamp("completion.confidence", &mut self.completion.confidence, 0, 100);
        clamp("ask.bundle_tokens", &mut self.ask.bundle_tokens, 500, 500_000);
        clamp("ask.answer_tokens", &mut self.ask.answer_tokens, 256, 128_000);
        clamp("engine.threads", &mut self.engine.threads, 0, 64);
        clamp("engine.context_tokens", &mut self.engine.context_tokens, 256, 131_072);
        clamp("engine.documents", &mut self.engine.documents, 1, 32);
        clamp("engine.states_mb", &mut self.engine.states_mb, 0, 100_000);
        clamp("engine.idle_minutes", &mut self.engine.idle_minutes, 0, 1_440);
        clamp("context.prefix_bytes", &mut self.context.prefix_bytes, 200, 100_000);
        clamp("context.suffix_bytes", &mut self.context.suffix_bytes, 0, 50_000);
        for (name, scale) in &mut self.engine.adapters {
            if !(0.0..=2.0).contains(scale) {
                warnings.push(format!("engine.adapters.{name} must be 0 to 2; using 0"));
                *scale = 0.0;
            }
        }
        let budget = &mut self.ask.budget;
        for (name, dollars) in [
            ("request_dollars", &mut budget.request_dollars),
            ("day_dollars", &mut budget.day_dollars),
            ("month_dollars", &mut budget.month_dollars),
        ] {
            if !(0.0..=1e6).contains(dollars) {
                warnings.push(format!("ask.budget.{name} must be 0 to 1,000,000; using 0"));
                *dollars = 0.0;
            }
        }
        self
    }
}

/// The four places that settings come from.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// `config.toml`.
    pub user: Value,
    /// `initializationOptions`.
    pub editor: Value,
    /// `workspace/configuration`.
    pub workspace: Value,
    /// `workspace/didChangeConfiguration`.
    pub changed: Value,
}

impl Layers {
    /// The settings, and what a person should hear about them.
    pub fn settings(&self) -> (Settings, Vec<String>) {
        let mut warnings = Vec::new();
        let mut merged = Value::Object(serde_json::Map::new());
        let layers = [
            ("config.toml", &self.user),
            ("initializationOptions", &self.editor),
            ("workspace/configuration", &self.workspace),
            ("workspace/didChangeConfiguration", &self.changed),
        ];
        for (place, layer) in layers {
            let mut layer = own_part(layer).clone();
            if place != "config.toml" {
                without_user_only(&mut layer, place, &mut warnings);
            }
            if layer.is_null() {
                continue;
            }
            let mut candidate = merged.clone();
            merge(&mut candidate, &layer);
            let mut unknown = |path: serde_ignored::Path| {
                warnings.push(format!("{place}: unknown setting `{path}`"));
            };
            // Unknown keys are looked for in this layer alone, so that each is named once.
            let checked: Result<Settings, _> = serde_ignored::deserialize(&layer, &mut unknown);
            match checked {
                Ok(_) => merged = candidate,
                Err(error) => warnings.push(format!("{place} is left out: {error}")),
            }
        }
        let settings: Settings = serde_json::from_value(merged).unwrap_or_default();
        let settings = settings.clamped(&mut warnings);
        (settings, warnings)
    }
}

/// The user's own file: `$TANDEM_CONFIG`, else `tandem/config.toml` in the configuration folder.
pub fn user_file() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    if let Some(file) = std::env::var_os("TANDEM_CONFIG").filter(|file| !file.is_empty()) {
        return Some(file.into());
    }
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("tandem").join("config.toml"))
}

/// What the user's file says; empty when there is none.
///
/// # Errors
/// When it is there but cannot be read or is not TOML, as a sentence with the line.
pub fn read_user_file(path: &Path) -> Result<Value, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Value::Null),
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    };
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The JSON schema of the settings, as committed in `editors/settings.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Settings);
    // A schema is plain data and always serialises.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Editors send settings bare or under our name.
fn own_part(value: &Value) -> &Value {
    value.get("tandem").unwrap_or(value)
}

fn without_user_only(layer: &mut Value, place: &str, warnings: &mut Vec<String>) {
    let Some(object) = layer.as_object_mut() else { return };
    for key in USER_ONLY {
        if object.remove(key).is_some_and(|value| !value.is_null()) {
            warnings.push(format!(
                "{place}: `{key}` is ignored here; only your own config.toml may set it"
            ));
        }
    }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        // serde reads a struct from a list too, by position: that would go around every name that is
        // looked at here. Lua's empty table comes as an empty list.
        (Value::Object(_), Value::Array(_)) => {}
        (into, from) => *into = from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn later_places_win_key_by_key() {
        let layers = Layers {
            user: json!({"model": "a", "engine": {"threads": 3}}),
            editor: json!({"tandem": {"model": "b", "completion": {"line_tokens": 9}}}),
            workspace: json!({"engine": {"documents": 2}}),
            changed: json!({"model": "c"}),
        };
        let (settings, warnings) = layers.settings();
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(settings.model, "c");
        assert_eq!(
            settings.engine,
            EngineSettings { threads: 3, documents: 2, ..Default::default() }
        );
        assert_eq!(settings.completion.line_tokens, 9);
    }

    #[test]
    fn unknown_keys_are_named() {
        let layers =
            Layers { editor: json!({"modle": "x", "engine": {"treads": 1}}), ..Layers::default() };
        let (settings, warnings) = layers.settings();
        assert_eq!(settings, Settings::default());
        assert_eq!(
            warnings,
            [
                "initializationOptions: unknown setting `engine.treads`",
                "initializationOptions: unknown setting `modle`",
            ]
        );
    }

    #[test]
    fn a_workspace_cannot_set_the_models_path() {
        let hostile = json!({"model_path": "/tmp/evil.gguf", "enabled": false});
        let layers = Layers {
            user: json!({"model_path": "/mine.gguf"}),
            editor: hostile.clone(),
            workspace: hostile.clone(),
            changed: json!({"tandem": hostile}),
        };
        let (settings, warnings) = layers.settings();
        assert_eq!(settings.model_path, Some(PathBuf::from("/mine.gguf")));
        assert!(!settings.enabled);
        assert_eq!(warnings.len(), 3);
    }

    #[test]
    fn a_list_sets_nothing_and_takes_nothing_back() {
        let user = json!({"model_path": "/mine.gguf", "ask": {"base_url": "http://127.0.0.1:1"}});
        for list in [json!([]), json!([true, "auto", "/tmp/evil.gguf"])] {
            let layers = Layers {
                user: user.clone(),
                editor: list.clone(),
                workspace: json!({"tandem": list}),
                changed: list.clone(),
            };
            let (settings, _) = layers.settings();
            assert_eq!(settings.model_path, Some(PathBuf::from("/mine.gguf")));
            assert_eq!(settings.ask.base_url.as_deref(), Some("http://127.0.0.1:1"));
        }
    }

    #[test]
    fn a_place_with_a_wrong_type_is_left_out_whole() {
        let layers = Layers {
            user: json!({"model": "a"}),
            workspace: json!({"model": "b", "enabled": "perhaps"}),
            ..Layers::default()
        };
        let (settings, warnings) = layers.settings();
        assert_eq!(settings.model, "a");
        assert!(warnings[0].starts_with("workspace/configuration is left out: "), "{warnings:?}");
    }

    #[test]
    fn values_out_of_range_are_brought_back() {
        let layers = Layers { changed: json!({"engine": {"documents": 0}}), ..Layers::default() };
        let (settings, warnings) = layers.settings();
        assert_eq!(settings.engine.documents, 1);
        assert_eq!(warnings, ["engine.documents must be 1 to 32; using 1"]);
    }

    #[test]
    fn the_committed_schema_is_the_one_of_these_types() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/settings.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, schema()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == schema(), "run UPDATE_SCHEMA=1 cargo test --release schema");
    }
}
