//! What a client can do, read from the raw `initialize` parameters, because lsp-types 0.94 does
//! not know the inline completions of LSP 3.18.

use serde_json::Value;

use crate::document::Encoding;

/// The parts of a client's capabilities that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFacts {
    /// `clientInfo.name`.
    pub name: String,
    /// The client's process, which this server must not outlive.
    pub process: Option<u32>,
    /// It shows ghost text by `textDocument/inlineCompletion`.
    pub ghost_text: bool,
    /// It answers `window/workDoneProgress/create`.
    pub progress: bool,
    /// It answers `workspace/configuration`.
    pub configuration: bool,
    /// It tells of files that others write when asked to.
    pub watches_files: bool,
    /// It opens documents when asked to (`window/showDocument`).
    pub shows_documents: bool,
    /// It asks for the texts of documents that are in no file (`workspace/textDocumentContent`).
    pub asks_for_content: bool,
    /// It asks its person for a line of text (`experimental.tandemInput`).
    pub asks_for_text: bool,
    /// It shows how the server is (`experimental.tandemStatus`).
    pub shows_status: bool,
    /// It takes edits with versions (`documentChanges`).
    pub changes_documents: bool,
    /// It shows edits and asks before it applies them (`changeAnnotations`).
    pub annotates_changes: bool,
    /// It creates files as part of an edit.
    pub creates_files: bool,
    /// The units that positions are counted in: the first that the client lists and we know.
    pub encoding: Encoding,
}

impl ClientFacts {
    /// From the parameters of `initialize`.
    pub fn read(params: &Value) -> ClientFacts {
        let at = |pointer: &str| params.pointer(pointer).unwrap_or(&Value::Null);
        let can = |pointer: &str| at(&format!("/capabilities/{pointer}"));
        let is_true = |pointer: &str| can(pointer).as_bool().unwrap_or_default();
        let encodings = can("general/positionEncodings").as_array();
        let known = |name: &Value| match name.as_str() {
            Some("utf-8") => Some(Encoding::Utf8),
            Some("utf-16") => Some(Encoding::Utf16),
            Some("utf-32") => Some(Encoding::Utf32),
            _ => None,
        };
        ClientFacts {
            name: at("/clientInfo/name").as_str().unwrap_or_default().to_owned(),
            process: at("/processId").as_u64().and_then(|id| u32::try_from(id).ok()),
            ghost_text: can("textDocument/inlineCompletion").is_object(),
            progress: is_true("window/workDoneProgress"),
            configuration: is_true("workspace/configuration"),
            watches_files: is_true("workspace/didChangeWatchedFiles/dynamicRegistration"),
            shows_documents: is_true("window/showDocument/support"),
            asks_for_content: can("workspace/textDocumentContent").is_object(),
            asks_for_text: is_true("experimental/tandemInput"),
            shows_status: is_true("experimental/tandemStatus"),
            changes_documents: is_true("workspace/workspaceEdit/documentChanges"),
            annotates_changes: can("workspace/workspaceEdit/changeAnnotationSupport").is_object(),
            creates_files: can("workspace/workspaceEdit/resourceOperations")
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "create")),
            encoding: encodings
                .and_then(|names| names.iter().find_map(known))
                .unwrap_or(Encoding::Utf16),
        }
    }

    /// Zed's menu waits for every server, however slow, so it gets no popup unasked.
    pub fn is_zed(&self) -> bool {
        self.name.starts_with("Zed")
    }

    /// Helix asks several servers at once, and what it makes of their lists depends on who is first.
    pub fn is_helix(&self) -> bool {
        self.name == "helix"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_known_encoding_wins_and_utf_16_is_the_default() {
        let of = |names: Value| {
            let params = json!({"capabilities": {"general": {"positionEncodings": names}}});
            ClientFacts::read(&params).encoding
        };
        assert_eq!(of(json!(["utf-7", "utf-8", "utf-16"])), Encoding::Utf8);
        assert_eq!(of(json!(["utf-32", "utf-8"])), Encoding::Utf32);
        assert_eq!(of(json!(null)), Encoding::Utf16);
        assert_eq!(ClientFacts::read(&Value::Null), ClientFacts::default());
    }
}
