//! The whole way from a model to a decision, with a shell script in the place of llama.cpp.

use std::process::Command;

use super::*;
use crate::model::gguf::builder::Builder;

/// Quantizing copies the source and adds to it; the candidate is twice as fast and agrees.
const WORKS: &str = r#"
read order
target=$(printf '%s' "$order" | sed 's/.*"target":"\([^"]*\)".*/\1/')
source=$(printf '%s' "$order" | sed 's/.*"source":"\([^"]*\)".*/\1/')
slow='{"read_ms":10,"write_ms":10,"verify_ms":10}'
fast='{"read_ms":5,"write_ms":5,"verify_ms":5}'
case "$order" in
*Quantize*) cp "$source" "$target"; echo more >> "$target" ;;
*) echo '{"Timed":{"original":'$slow',"candidate":'$fast'}}'
   echo '{"Agreed":{"agreement":{"choices":9,"same_choices":9,"answers":3,"same_answers":3},"answers":[]}}' ;;
esac
echo '"Done"'
"#;

struct Scene {
    _scratch: tempfile::TempDir,
    store: Store,
    program: PathBuf,
}

impl Scene {
    /// A store with the model `mine` and a program that is this script.
    fn new(script: &str) -> Scene {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::new(scratch.path().join("models"));
        fs::create_dir(store.folder()).unwrap();
        fs::write(store.folder().join("mine.gguf"), Builder::qwen().bytes()).unwrap();
        let program = scratch.path().join("tandem");
        // Written by another process: one that this process still had open could not be run.
        let written = Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s' "$0" > "$1"; chmod +x "$1""#, script])
            .arg(&program)
            .status();
        assert!(written.unwrap().success());
        Scene { _scratch: scratch, store, program }
    }

    async fn optimize(&self) -> Result<Outcome, ModelError> {
        let options = Options { program: Some(self.program.clone()), ..Options::default() };
        optimize(&self.store, "mine", &options, &silent()).await
    }

    fn in_use(&self) -> (String, Option<String>) {
        let (path, warning) = file_in_use(&self.store, &self.store.folder().join("mine.gguf"));
        (path.file_name().unwrap().to_string_lossy().into_owned(), warning)
    }

    fn derived_files(&self) -> Vec<String> {
        let files = fs::read_dir(self.store.folder().join("optimized")).unwrap();
        let mut files: Vec<String> =
            files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        files
    }
}

#[tokio::test]
async fn a_better_file_is_kept_used_and_remembered() {
    let scene = Scene::new(WORKS);
    assert_eq!(scene.in_use(), ("mine.gguf".to_owned(), None));
    let outcome = scene.optimize().await.unwrap();
    let Outcome::Decided(Standing::Derived(record, _), troubles) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((record.candidates.len(), troubles.len()), (1, 0));
    assert_eq!(scene.in_use(), ("mine.iq4_nl.gguf".to_owned(), None));
    assert_eq!(
        scene.derived_files(),
        [
            "mine.choice.json",
            "mine.iq4_nl.gguf",
            "mine.iq4_nl.gguf.checked",
            "mine.iq4_nl.gguf.json",
            "mine.lock"
        ]
    );
    let again = scene.optimize().await.unwrap();
    assert!(matches!(again, Outcome::Known(Standing::Derived(..))), "{again:?}");
    let model = scene.store.find("mine").unwrap();
    assert!(verify(&scene.store, &model, silent()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_was_altered_is_not_used_and_the_original_is() {
    let scene = Scene::new(WORKS);
    scene.optimize().await.unwrap();
    let derived = scene.store.folder().join("optimized/mine.iq4_nl.gguf");
    let mut bytes = fs::read(&derived).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&derived, bytes).unwrap();
    let (file, warning) = scene.in_use();
    assert_eq!(file, "mine.gguf");
    assert!(warning.unwrap().contains("`tandem model optimize mine`"));
    let model = scene.store.find("mine").unwrap();
    assert!(verify(&scene.store, &model, silent()).await.is_err());
}

#[tokio::test]
async fn where_nothing_pays_that_is_remembered_too() {
    let scene = Scene::new(&WORKS.replace("5,", "9.9,").replace(":5}", ":9.9}"));
    let outcome = scene.optimize().await.unwrap();
    assert!(matches!(outcome, Outcome::Decided(Standing::Original(_), _)), "{outcome:?}");
    assert_eq!(scene.derived_files(), ["mine.choice.json", "mine.lock"]);
    assert_eq!(scene.in_use(), ("mine.gguf".to_owned(), None));
    let again = scene.optimize().await.unwrap();
    assert!(matches!(again, Outcome::Known(Standing::Original(_))), "{again:?}");
}

#[tokio::test]
async fn a_quantizer_that_aborts_is_told_and_leaves_nothing_behind() {
    let script = r#"read order
target=$(printf '%s' "$order" | sed 's/.*"target":"\([^"]*\)".*/\1/')
echo half > "$target"; echo 'GGML_ASSERT failed' >&2; kill -ABRT $$"#;
    let scene = Scene::new(script);
    let told = scene.optimize().await.unwrap_err().to_string();
    assert!(told.contains("GGML_ASSERT failed") && told.contains("original"), "{told}");
    assert_eq!(scene.derived_files(), ["mine.lock"]);
    assert_eq!(scene.in_use(), ("mine.gguf".to_owned(), None));
}

#[tokio::test]
async fn stopping_removes_what_is_unfinished() {
    let script = r#"read order
target=$(printf '%s' "$order" | sed 's/.*"target":"\([^"]*\)".*/\1/')
echo half > "$target"; read forever"#;
    let scene = Scene::new(script);
    let unfinished = scene.store.folder().join("optimized/mine.iq4_nl.unfinished");
    let there = unfinished.clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    // The report comes while the file is watched.
    let report: Report = std::sync::Arc::new(move |_| {
        if there.exists()
            && let Some(tell) = tell.lock().unwrap().take()
        {
            tell.send(()).unwrap();
        }
    });
    let options = Options { program: Some(scene.program.clone()), ..Options::default() };
    tokio::select! {
        outcome = optimize(&scene.store, "mine", &options, &report) => panic!("{outcome:?}"),
        Ok(()) = told => {}
    }
    assert!(!unfinished.exists());
    assert_eq!(scene.derived_files(), ["mine.lock"]);
}

#[tokio::test]
async fn two_at_once_are_one_too_many() {
    let scene = Scene::new(WORKS);
    let model = scene.store.find("mine").unwrap();
    let place = Place::of(&scene.store, &model);
    fs::create_dir(&place.folder).unwrap();
    let _held = lock(&place, &model).unwrap();
    assert!(matches!(scene.optimize().await, Err(ModelError::OptimizeBusy { .. })));
}

#[tokio::test]
async fn a_removed_model_takes_what_was_derived_from_it_along() {
    let scene = Scene::new(WORKS);
    scene.optimize().await.unwrap();
    let model = scene.store.find("mine").unwrap();
    forget(&scene.store, &model).unwrap();
    scene.store.remove(&model).unwrap();
    assert_eq!(scene.derived_files(), ["mine.lock"]);
    assert!(scene.store.installed().is_empty());
}
