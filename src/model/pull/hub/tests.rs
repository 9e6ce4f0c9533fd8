//! The hub's faults, played by a stand-in on loopback.

use std::fs;
use std::sync::{Arc, Mutex};

use super::super::stand_in::{Answer, StandIn, model, sha256};
use super::super::{Optimize, Options, SourceChoice, pull};
use super::*;
use crate::model::progress::silent;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("models"));
    (folder, store)
}

async fn pulled(store: &Store, hub: &StandIn, entry: &'static Entry) -> Result<Pulled, ModelError> {
    pull(store, entry, &hub.options(), silent()).await
}

/// Names of what is left in the store.
fn left(store: &Store) -> Vec<String> {
    let files = fs::read_dir(store.folder()).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_full_download_ends_with_the_model_and_nothing_else() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let hub = StandIn::new(vec![Answer::whole(&body)]);
    let told = Arc::new(Mutex::new(vec![]));
    let hears = told.clone();
    let report: Report = Arc::new(move |progress| hears.lock().unwrap().push(progress));
    let pulled = pull(&store, entry, &hub.options(), report).await.unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), body);
    assert_eq!(pulled.from, Some(Source::Hub));
    assert_eq!(left(&store), ["tiny.gguf"]);
    assert!(hub.requests()[0].starts_with("get /owner/tiny-gguf/resolve/main/tiny.gguf "));
    let done = |phase| {
        let told = told.lock().unwrap();
        told.iter().rfind(|p| p.phase == phase).map(|p| p.done)
    };
    assert_eq!(done(Phase::Downloading), Some(body.len() as u64));
    assert_eq!(done(Phase::Verifying), Some(body.len() as u64));
}

#[tokio::test]
async fn a_model_that_is_there_is_not_asked_for() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let hub = StandIn::new(vec![Answer::whole(&body)]);
    pulled(&store, &hub, entry).await.unwrap();
    let again = pulled(&store, &hub, entry).await.unwrap();
    assert_eq!(again.from, None);
    assert_eq!(hub.requests().len(), 1);
}

#[tokio::test]
async fn a_stream_cut_at_sixty_percent_is_taken_up_where_it_stopped() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let cut = body.len() * 6 / 10;
    let hub = StandIn::new(vec![Answer::cut(&body, cut), Answer::rest(&body, cut)]);
    let pulled = pulled(&store, &hub, entry).await.unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), body);
    let second = &hub.requests()[1];
    assert!(second.contains(&format!("range: bytes={cut}-")), "{second}");
    assert!(second.contains("if-range: \"v1\""), "{second}");
}

#[tokio::test]
async fn a_hub_that_stays_broken_is_given_up_on_and_the_next_pull_resumes() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let mut answers = vec![Answer::cut(&body, 5_000)];
    answers.extend((0..TRIES).map(|_| Answer::new("503 Service Unavailable", 0, b"")));
    let error = pulled(&store, &StandIn::new(answers), entry).await.unwrap_err();
    assert!(matches!(error, ModelError::Interrupted { got: 5_000, .. }), "{error}");
    assert!(error.to_string().contains("it resumes"), "{error}");
    assert!(!store.path_of(entry).exists());

    let hub = StandIn::new(vec![Answer::rest(&body, 5_000)]);
    pulled(&store, &hub, entry).await.unwrap();
    assert!(hub.requests()[0].contains("range: bytes=5000-"));
    assert_eq!(left(&store), ["tiny.gguf"]);
}

#[tokio::test]
async fn all_of_the_file_instead_of_the_rest_starts_from_zero() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let hub = StandIn::new(vec![Answer::cut(&body, 9_000), Answer::whole(&body)]);
    let pulled = pulled(&store, &hub, entry).await.unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), body);
    assert!(hub.requests()[1].contains("range: bytes=9000-"));
}

#[tokio::test]
async fn another_part_than_asked_for_starts_from_zero() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let hub = StandIn::new(vec![
        Answer::cut(&body, 9_000),
        Answer::rest(&body, 9_001),
        Answer::whole(&body),
    ]);
    let pulled = pulled(&store, &hub, entry).await.unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), body);
    assert!(!hub.requests()[2].contains("range:"));
}

#[tokio::test]
async fn a_file_with_the_wrong_hash_is_deleted_and_both_hashes_are_told() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let mut bad = body.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let hub = StandIn::new(vec![Answer::whole(&bad)]);
    let told = pulled(&store, &hub, entry).await.unwrap_err().to_string();
    assert!(told.contains(&sha256(&body)), "{told}");
    assert!(told.contains(&sha256(&bad)), "{told}");
    assert_eq!(left(&store), ["tiny.gguf.lock"]);
}

#[tokio::test]
async fn a_login_page_instead_of_a_model_is_named_and_leaves_nothing() {
    let (_folder, store) = store();
    let (_, entry) = model(true);
    let page = b"<!doctype html><title>Sign in</title>";
    let typed = Answer::new("200 OK", page.len(), page).with("Content-Type: text/html");
    let untyped = Answer::new("200 OK", entry.bytes.unwrap() as usize, page);
    for answer in [typed, untyped] {
        let hub = StandIn::new(vec![answer]);
        let told = pulled(&store, &hub, entry).await.unwrap_err().to_string();
        assert!(told.contains("HTML page"), "{told}");
        assert!(!store.path_of(entry).exists());
        let partial = store.folder().join("tiny.gguf.partial");
        assert_eq!(fs::metadata(partial).map_or(0, |about| about.len()), 0);
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_an_error_with_the_address_at_once() {
    let (_folder, store) = store();
    let (_, entry) = model(true);
    let hub = StandIn::new(vec![Answer::new("404 Not Found", 0, b"")]);
    let told = pulled(&store, &hub, entry).await.unwrap_err().to_string();
    assert!(told.contains("404") && told.contains("tiny.gguf"), "{told}");
    assert_eq!(hub.requests().len(), 1);
}

#[tokio::test]
async fn a_pinned_file_that_the_hub_has_replaced_is_not_downloaded() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    let other = format!("X-Linked-ETag: \"{}\"", "0".repeat(64));
    let hub = StandIn::new(vec![Answer::whole(&body).with(&other)]);
    let told = pulled(&store, &hub, entry).await.unwrap_err().to_string();
    assert!(told.contains("is pinned"), "{told}");
}

#[tokio::test]
async fn an_unpinned_file_is_held_against_the_hash_declared_on_the_redirect() {
    let (_folder, store) = store();
    let (body, entry) = model(false);
    let redirect = |hash: &str| {
        Answer::new("302 Found", 0, b"")
            .with("Location: /elsewhere/blob")
            .with(&format!("X-Linked-ETag: \"{hash}\""))
            .with(&format!("X-Linked-Size: {}", body.len()))
    };
    let hub = StandIn::new(vec![redirect(&"0".repeat(64)), Answer::whole(&body)]);
    let error = pulled(&store, &hub, entry).await.unwrap_err();
    assert!(matches!(error, ModelError::WrongHash { .. }), "{error}");

    let hub = StandIn::new(vec![redirect(&sha256(&body)), Answer::whole(&body)]);
    pulled(&store, &hub, entry).await.unwrap();
    assert!(hub.requests()[1].starts_with("get /elsewhere/blob "));
    assert_eq!(left(&store), ["tiny.gguf", "tiny.gguf.json"]);
}

#[tokio::test]
async fn an_unpinned_file_of_which_the_hub_declares_no_hash_is_refused() {
    let (_folder, store) = store();
    let (body, entry) = model(false);
    let hub = StandIn::new(vec![Answer::whole(&body)]);
    let error = pulled(&store, &hub, entry).await.unwrap_err();
    assert!(matches!(error, ModelError::NoChecksum { .. }), "{error}");
}

#[tokio::test]
async fn a_half_of_an_older_version_is_not_continued_with_a_newer_one() {
    let (_folder, store) = store();
    let (body, entry) = model(false);
    let declares = |answer: Answer, hash: &str| answer.with(&format!("X-Linked-ETag: {hash}"));
    let hub = StandIn::new(vec![
        declares(Answer::cut(&body, 9_000), &"0".repeat(64)),
        declares(Answer::rest(&body, 9_000), &sha256(&body)),
        declares(Answer::whole(&body), &sha256(&body)),
    ]);
    let pulled = pulled(&store, &hub, entry).await.unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), body);
}

#[tokio::test]
async fn a_hub_that_is_not_there_sends_a_model_without_wheels_nowhere() {
    let (_folder, store) = store();
    let (_, entry) = model(true);
    // Bound and dropped at once: nobody listens there.
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let options = Options {
        hub: address,
        python: vec![],
        optimize: Optimize::No,
        ..Options::new(SourceChoice::Auto)
    };
    let error = pull(&store, entry, &options, silent()).await.unwrap_err();
    assert!(matches!(error, ModelError::Hub { .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_stops_the_download_and_says_how_much_is_missing() {
    let (_folder, store) = store();
    let (body, entry) = model(true);
    fs::create_dir_all(store.folder()).unwrap();
    // A file that accepts no byte, as on a full disk.
    let partial = store.folder().join("tiny.gguf.partial");
    std::os::unix::fs::symlink("/dev/full", partial).unwrap();
    let hub = StandIn::new(vec![Answer::whole(&body)]);
    let error = pulled(&store, &hub, entry).await.unwrap_err();
    assert!(
        matches!(error, ModelError::DiskFull { missing, .. } if missing == body.len() as u64),
        "{error}"
    );
}
