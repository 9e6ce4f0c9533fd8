//! Which program, with which arguments. Pure.
//!
//! In: what the settings say and whether there is a program on the PATH. Out: a command. Refuses: to guess
//! where else a program might be.

/// The server's program, and the section of its settings.
pub const PROGRAM: &str = "tandem";
/// For Zed's ghost text. The port is tandem's own default; Zed's `api_url` has to name the same.
const ARGUMENTS: [&str; 4] = ["serve", "--stdio", "--http", "127.0.0.1:4127"];

/// The program that the settings name, else the one on the PATH.
///
/// # Errors
/// What to do when there is none.
pub fn command(path: Option<String>, which: impl FnOnce() -> Option<String>) -> Result<String, String> {
    let path = path.filter(|path| !path.is_empty());
    path.or_else(which).ok_or_else(|| {
        "there is no `tandem` on the PATH. Install it (see its README), or say where it is in \
         settings.json: \"lsp\": {\"tandem-lsp\": {\"binary\": {\"path\": \"/where/it/is/tandem\"}}}. Then \
         run `editor: restart language server`."
            .into()
    })
}

/// The settings' arguments, else those that serve both Zed's language client and its ghost text.
pub fn arguments(own: Option<Vec<String>>) -> Vec<String> {
    own.unwrap_or_else(|| ARGUMENTS.map(str::to_owned).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_program_goes_before_the_paths() {
        let on_path = || Some("/usr/bin/tandem".to_owned());
        assert_eq!(command(Some("/mine".into()), on_path), Ok("/mine".into()));
        assert_eq!(command(Some(String::new()), on_path), Ok("/usr/bin/tandem".into()));
        assert_eq!(command(None, on_path), Ok("/usr/bin/tandem".into()));
        assert!(command(None, || None).unwrap_err().contains("lsp"));
    }

    #[test]
    fn the_settings_arguments_go_before_ours() {
        assert_eq!(arguments(Some(vec!["serve".into()])), ["serve"]);
        assert_eq!(arguments(None), ["serve", "--stdio", "--http", "127.0.0.1:4127"]);
    }
}
