//! How to connect each editor to this very program. In: its path. Out: text. Pure.
//!
//! Nothing is promised that is not there: where an editor needs a package that does not exist yet,
//! it says so.

use std::path::Path;

/// What to put into each editor's settings.
pub fn how(program: &Path) -> String {
    // Lua, TOML and JSON all read a string quoted by these rules, back slashes included.
    let program = format!("{:?}", program.display().to_string());
    format!(
        "\
To have this in your editor:

Neovim 0.12 (init.lua)
    vim.lsp.config('tandem', {{ cmd = {{ {program}, 'serve' }} }})
    vim.lsp.enable('tandem')
    vim.lsp.inline_completion.enable()
    vim.keymap.set('i', '<Tab>', function()
      if not vim.lsp.inline_completion.get() then return '<Tab>' end
    end, {{ expr = true }})

Helix (languages.toml; it has no ghost text, so suggestions stand in the menu)
    [language-server.tandem]
    command = {program}
    args = [\"serve\"]

    [[language]]
    name = \"rust\"
    language-servers = [\"rust-analyzer\", \"tandem\"]

    [[language]]
    name = \"python\"
    language-servers = [\"pylsp\", \"tandem\"]

VS Code
    `make vscode` builds the extension with this server inside, into dist/; install it with
    `code --install-extension`.

Zed
    The extension is in editors/zed; its README says how to install it for development.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_editor_is_told_the_full_path() {
        let text = how(Path::new("/opt/a b/tandem"));
        assert_eq!(text.matches("\"/opt/a b/tandem\"").count(), 2);
        assert!(text.contains("vim.lsp.inline_completion.enable()"));
        let helix = text.split("in the menu)\n").nth(1).and_then(|t| t.split("\nVS Code").next());
        let parsed: toml::Value = toml::from_str(helix.unwrap_or_default()).unwrap();
        assert_eq!(parsed["language-server"]["tandem"]["args"][0].as_str(), Some("serve"));
        assert_eq!(parsed["language"][1]["language-servers"][1].as_str(), Some("tandem"));
    }
}
