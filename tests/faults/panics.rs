//! A mistake of our own in the middle of a request.
//!
//! In this process, on engines that panic: the binary has no place in which a client could make it panic, and
//! gets none for this test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tandem::engine::scripted::Scripted;
use tandem::engine::{Answer, Engine, Request, State};
use tokio::sync::watch;

use crate::editor::{Editor, FILE};

/// An engine on which one of its calls goes wrong, once.
struct Wrong {
    inner: Arc<Scripted>,
    on_request: AtomicBool,
    on_waking: AtomicBool,
}

impl Wrong {
    fn on(request: bool, waking: bool) -> Arc<Wrong> {
        let (on_request, on_waking) = (AtomicBool::new(request), AtomicBool::new(waking));
        Arc::new(Wrong { inner: Scripted::saying("1;"), on_request, on_waking })
    }
}

impl Engine for Wrong {
    fn complete(&self, request: Request) -> Answer {
        assert!(!self.on_request.swap(false, Ordering::Relaxed), "a mistake on a request");
        self.inner.complete(request)
    }

    fn state(&self) -> watch::Receiver<State> {
        self.inner.state()
    }

    fn wake(&self) {
        assert!(!self.on_waking.swap(false, Ordering::Relaxed), "a mistake on waking");
    }
}

#[tokio::test]
async fn a_panic_on_a_request_is_the_error_of_that_request_alone() {
    let engine = Wrong::on(true, false);
    let mut editor = Editor::start(engine.clone());
    // Nothing is worked ahead, so that the request is what goes wrong.
    let options = json!({"initializationOptions": {"completion": {"ahead": false}}});
    editor.initialize(options).await;
    editor.open(FILE, "rust", "let x = \n").await;
    let id = editor.ask_ghost(0, 8).await;
    assert_eq!(editor.answer(id).await["error"]["code"], -32603);
    assert_eq!(editor.ghost(0, 8).await, Some(vec!["let x = 1;".to_owned()]));
    assert_eq!(editor.exit_code(true).await, 1);
}

#[tokio::test]
async fn a_panic_on_a_notification_silences_that_document_until_it_is_opened_again() {
    let mut editor = Editor::start(Wrong::on(false, true));
    editor.initialize(json!({})).await;
    editor.open(FILE, "rust", "let x = \n").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec![]));
    assert_eq!(editor.status().await["silent"], json!([{"uri": FILE, "why": "out of sync"}]));
    editor.open("file:///b.rs", "rust", "let x = \n").await;
    editor.open(FILE, "rust", "let x = \n").await;
    assert_eq!(editor.ghost(0, 8).await, Some(vec!["let x = 1;".to_owned()]));
    assert_eq!(editor.status().await["silent"], json!([]));
    assert_eq!(editor.exit_code(true).await, 1);
}
