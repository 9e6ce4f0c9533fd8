//! tower-lsp's handlers: they convert and delegate, nothing else. None waits for the client; what
//! must ask it runs in a task of its own, since four waiting handlers would stop tower-lsp 0.20.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProviderCapability,
    CodeActionResponse, CompletionOptions, ConfigurationItem, DidChangeConfigurationParams,
    DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DidSaveTextDocumentParams,
    ExecuteCommandOptions, ExecuteCommandParams, InitializeParams, InitializeResult,
    InitializedParams, MessageType, OneOf, PositionEncodingKind, Registration, ServerCapabilities,
    ServerInfo, TextDocumentSyncKind, TextDocumentSyncOptions, WorkDoneProgressCancelParams,
    WorkspaceFolder, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};
use tower_lsp::{Client, LanguageServer, async_trait};

use super::session::{NamedDocument, Session, path_of};
use super::words::plain;
use super::{commands, inline, popup, progress, status};
use crate::document::Encoding;
use crate::settings::Offer;
use crate::syntax;
use crate::workspace::is_workspace;

/// How long to wait for a client's answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to look whether the client's process lives.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// The folders that a client has open, where it has any.
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    let several = params.workspace_folders.iter().flatten().map(|folder| folder.uri.as_str());
    let mut folders: Vec<PathBuf> = several.filter_map(path_of).collect();
    // Deprecated, and all that some clients send.
    #[allow(deprecated)]
    let root = params.root_uri.as_ref().and_then(|uri| path_of(uri.as_str()));
    if folders.is_empty() {
        folders.extend(root);
    }
    folders.retain(|folder| is_workspace(folder));
    folders
}

/// The server as tower-lsp sees it.
pub struct Backend {
    pub client: Client,
    pub session: Arc<Session>,
}

impl Backend {
    pub fn new(client: Client, session: Arc<Session>) -> Backend {
        Backend { client, session }
    }

    /// `textDocument/inlineCompletion`. `null` when something newer came: a client that shows
    /// ghost text keeps it then, and hides it on an empty list.
    pub async fn inline(&self, params: inline::Params) -> Result<Option<Vec<inline::Item>>> {
        let Some(ticket) = self.session.take_ticket(params.tandem_ticket) else { return Ok(None) };
        tokio::select! {
            biased;
            () = ticket.superseded.cancelled() => Ok(None),
            items = async {
                let _waiting = self.session.board.wait();
                self.session.ghost_text(&ticket, &params).await
            } => Ok(Some(items)),
        }
    }

    /// `textDocument/completion`.
    pub async fn popup(&self, params: popup::Params) -> Result<Option<Value>> {
        let Some(ticket) = self.session.take_ticket(params.tandem_ticket) else { return Ok(None) };
        let _waiting = self.session.board.wait();
        Ok(self.session.menu(ticket, &params).await)
    }

    /// `workspace/textDocumentContent` of LSP 3.18: the text of a document of ours.
    pub async fn content(&self, params: NamedDocument) -> Result<Value> {
        match self.session.asks.text(&params.uri) {
            Some(text) => Ok(json!({"text": text})),
            None => Err(Error::invalid_params(format!("there is no document {}", params.uri))),
        }
    }

    /// `window/workDoneProgress/cancel`. Only asking Claude can be cancelled by it.
    pub async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        self.session.progress.cancel(&params.token);
    }

    /// Asks to be told of files that others write.
    fn watch_files(&self) {
        let ends = syntax::extensions().collect::<Vec<_>>().join(",");
        let watchers = json!({"watchers": [{"globPattern": format!("**/*.{{{ends}}}")}]});
        let registration = Registration {
            id: "files".into(),
            method: "workspace/didChangeWatchedFiles".into(),
            register_options: Some(watchers),
        };
        let client = self.client.clone();
        tokio::spawn(async move {
            // Without it a file is read again when it is opened or closed.
            let _ = client.register_capability(vec![registration]).await;
        });
    }

    /// Asks the client for its settings, in the background.
    fn pull_settings(&self) {
        let (client, session) = (self.client.clone(), self.session.clone());
        tokio::spawn(async move {
            let item = ConfigurationItem { scope_uri: None, section: Some("tandem".into()) };
            let asking = client.clone();
            let asked = async move { asking.configuration(vec![item]).await };
            if let Some(Ok(values)) = progress::within(PATIENCE, asked).await {
                let value = values.into_iter().next().unwrap_or_default();
                let warnings = session.change_settings(|layers| layers.workspace = value);
                warn(&client, warnings).await;
            }
        });
    }
}

#[async_trait]
impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let facts = self.session.facts();
        let folders = folders(&params);
        let options = params.initialization_options.unwrap_or_default();
        let warnings = self.session.change_settings(|layers| layers.editor = options);
        let client = self.client.clone();
        tokio::spawn(async move { warn(&client, warnings).await });
        self.session.set_folders(folders);
        let settings = self.session.settings.get();
        let popup = match settings.popup {
            Offer::On => true,
            Offer::Off => false,
            Offer::Auto => !facts.ghost_text && !facts.is_zed(),
        };
        let encoding = match facts.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        };
        // The tab is for a line that is opened with its indentation: Helix looks at what stands before the
        // cursor then, as it does after a key.
        let triggers = [".", ":", "(", " ", "\t", "=", ","].map(str::to_owned).to_vec();
        Ok(InitializeResult {
            server_info: Some(ServerInfo {
                name: "tandem".into(),
                version: Some(env!("CARGO_PKG_VERSION").into()),
            }),
            capabilities: ServerCapabilities {
                position_encoding: Some(encoding),
                text_document_sync: Some(
                    TextDocumentSyncOptions {
                        open_close: Some(true),
                        change: Some(TextDocumentSyncKind::INCREMENTAL),
                        ..TextDocumentSyncOptions::default()
                    }
                    .into(),
                ),
                completion_provider: popup.then(|| CompletionOptions {
                    trigger_characters: Some(triggers),
                    ..CompletionOptions::default()
                }),
                code_action_provider: settings.ask.enabled.then(|| {
                    let kinds =
                        [CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR].map(Some).into_iter();
                    CodeActionProviderCapability::Options(CodeActionOptions {
                        code_action_kinds: Some(kinds.flatten().collect()),
                        ..CodeActionOptions::default()
                    })
                }),
                execute_command_provider: Some(ExecuteCommandOptions {
                    commands: commands::NAMES.map(str::to_owned).to_vec(),
                    ..ExecuteCommandOptions::default()
                }),
                workspace: Some(WorkspaceServerCapabilities {
                    workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                        supported: Some(true),
                        change_notifications: Some(OneOf::Left(true)),
                    }),
                    ..WorkspaceServerCapabilities::default()
                }),
                ..ServerCapabilities::default()
            },
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        let facts = self.session.facts();
        if facts.configuration {
            self.pull_settings();
        }
        tokio::spawn(progress::follow(self.client.clone(), self.session.clone()));
        if facts.shows_status {
            tokio::spawn(status::follow(self.client.clone(), self.session.clone()));
        }
        if facts.watches_files && self.session.settings.get().context.definitions_bytes > 0 {
            self.watch_files();
        }
        if let Some(process) = facts.process {
            tokio::spawn(outlive_not(process, self.session.clone()));
        }
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        if params.settings.is_null() {
            // The newer way: the client says that something changed, and is asked what.
            self.pull_settings();
            return;
        }
        let warnings = self.session.change_settings(|layers| layers.changed = params.settings);
        let client = self.client.clone();
        tokio::spawn(async move { warn(&client, warnings).await });
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let named = |folders: &[WorkspaceFolder]| -> Vec<PathBuf> {
            let paths = folders.iter().filter_map(|folder| path_of(folder.uri.as_str()));
            paths.filter(|folder| is_workspace(folder)).collect()
        };
        self.session.change_folders(named(&params.event.added), &named(&params.event.removed));
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        for change in params.changes {
            self.session.file_changed(change.uri.as_str());
        }
    }

    /// Not asked for, since the text is known from its changes, and sent by some clients all the same.
    async fn did_save(&self, _: DidSaveTextDocumentParams) {}

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        Ok(Some(self.session.actions(&params)))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        let arguments = params.arguments;
        match commands::run(&self.client, &self.session, &params.command, arguments) {
            Some(answer) => Ok(Some(answer)),
            None => Err(Error::invalid_params(format!("there is no command {}", params.command))),
        }
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}

async fn warn(client: &Client, warnings: Vec<String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
        client.show_message(MessageType::WARNING, plain(format!("tandem: {warning}"))).await;
    }
}

/// Ends the session when the client's process is gone, even if something holds its pipe open.
async fn outlive_not(process: u32, session: Arc<Session>) {
    while crate::machine::is_running(process) {
        tokio::time::sleep(HEARTBEAT).await;
    }
    session.exit();
}
