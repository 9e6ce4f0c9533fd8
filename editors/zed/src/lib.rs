//! The Zed extension: how to start tandem, and with which settings.
//!
//! In: `lsp.tandem-lsp` of Zed's settings, and the project's environment. Out: a command, and settings for the
//! server as they are. Refuses: to download a program; where there is none, it says how to get one. Ghost
//! text is not here: Zed lets no extension give it, so it asks the server over HTTP (see README.md).

mod start;

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{self as zed, serde_json, LanguageServerId, Result, Worktree};

struct Tandem;

impl zed::Extension for Tandem {
    fn new() -> Self {
        Tandem
    }

    fn language_server_command(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<zed::Command> {
        let binary = LspSettings::for_worktree(server.as_ref(), worktree)?.binary;
        let (path, arguments, own) = match binary {
            Some(binary) => (binary.path, binary.arguments, binary.env.unwrap_or_default()),
            None => (None, None, Default::default()),
        };
        let command = start::command(path, || worktree.which(start::PROGRAM))?;
        let mut env = worktree.shell_env();
        env.retain(|(name, _)| !own.contains_key(name));
        env.extend(own);
        Ok(zed::Command { command, args: start::arguments(arguments), env })
    }

    fn language_server_initialization_options(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        Ok(LspSettings::for_worktree(server.as_ref(), worktree)?.initialization_options)
    }

    fn language_server_workspace_configuration(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        let settings = LspSettings::for_worktree(server.as_ref(), worktree)?.settings;
        // The server asks for the section of its name.
        Ok(settings.map(|settings| match settings.get(start::PROGRAM) {
            Some(_) => settings,
            None => serde_json::json!({ start::PROGRAM: settings }),
        }))
    }
}

zed::register_extension!(Tandem);
