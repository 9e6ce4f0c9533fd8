//! An engine's process that is there and does nothing: stopped as a whole, or its model alone; and several
//! servers that meet at one place.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tandem::client::{Client, Editor, Stroke};
use tandem::machine::is_running;

use crate::harness::{Home, Typist, kill, marked, status, turn, until};

const ADD: &str = "fn add(a: i32, b: i32) -> i32 {\n    a$0\n}\n";
/// A hung engine is noticed within this; what takes longer never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A home of its own: a hung engine is nobody else's trouble.
fn alone() -> Home {
    let home = Home::new();
    home.put_model();
    home
}

fn typist(home: &Home) -> Typist {
    // Nothing is answered without the model.
    Typist::with(home, json!({"completion": {"reuse": false, "ahead": false}}), "rust", ADD)
}

/// The engine's process number, as the server sees it now.
fn engine(client: &mut Client) -> Option<u32> {
    status(client)["engine"]["pid"].as_u64().and_then(|process| u32::try_from(process).ok())
}

/// Has it ended? One whose thread is held by us stays as a zombie until we are gone.
fn is_gone(process: u32) -> bool {
    let zombie = std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')));
    zombie || !is_running(process)
}

/// A request that waits for `hung` gets an empty answer, and the next ones come from another engine.
fn check_is_replaced(typist: &mut Typist, hung: u32) {
    typist.press(Stroke::Type(' '));
    let waiting = typist.editor.ask(&mut typist.client);
    let answer = typist.client.finish_inline_within(waiting, DEADLINE).expect("an answer");
    assert_eq!(answer, None);
    until("suggestions from another engine", || typist.shown());
    assert!(is_gone(hung), "it is still there");
    assert_ne!(engine(&mut typist.client), Some(hung));
}

#[test]
fn an_engine_that_is_stopped_is_noticed_ended_and_replaced() {
    let _turn = turn();
    let home = alone();
    let mut typist = typist(&home);
    assert_eq!(typist.shown().as_deref(), Some(" + b"));
    let hung = engine(&mut typist.client).expect("an engine");
    kill(hung, Signal::STOP);
    check_is_replaced(&mut typist, hung);
    home.engine(&mut typist.client);
}

#[test]
fn a_new_window_does_not_wait_for_an_engine_that_hangs() {
    let _turn = turn();
    let home = alone();
    let mut first = typist(&home);
    assert_eq!(first.shown().as_deref(), Some(" + b"));
    let hung = engine(&mut first.client).expect("an engine");
    kill(hung, Signal::STOP);
    // The first window asks nothing meanwhile.
    let mut second = typist(&home);
    assert!(!is_running(hung), "it is still there");
    assert_eq!(second.shown().as_deref(), Some(" + b"));
    assert_eq!(
        until("the first has it too", || engine(&mut first.client)),
        home.engine(&mut second.client)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_engine_whose_model_alone_hangs_is_ended_too() {
    let _turn = turn();
    let home = alone();
    let mut typist = typist(&home);
    assert_eq!(typist.shown().as_deref(), Some(" + b"));
    let hung = engine(&mut typist.client).expect("an engine");
    let Some(_hold) = hold_thread(hung, "llama") else {
        println!("skipped: this system lets nobody trace a process of his own");
        home.engine(&mut typist.client);
        return;
    };
    check_is_replaced(&mut typist, hung);
    home.engine(&mut typist.client);
}

/// Stops one thread of a process, by its name, until that process ends; `None` where tracing is not allowed.
#[cfg(target_os = "linux")]
fn hold_thread(process: u32, name: &str) -> Option<()> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("a process");
    let named = |task: &std::path::Path| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let task = tasks.map(|task| task.expect("a thread").path()).find(|task| named(task));
    let thread = task.expect("a thread of that name");
    let thread: libc::pid_t = thread.file_name()?.to_str()?.parse().expect("a number");
    // SAFETY: neither request reads or writes memory of ours.
    unsafe {
        let none = std::ptr::null_mut::<libc::c_void>();
        if libc::ptrace(libc::PTRACE_SEIZE, thread, none, none) != 0 {
            return None;
        }
        assert_eq!(libc::ptrace(libc::PTRACE_INTERRUPT, thread, none, none), 0);
        // Until it has really stopped.
        let mut how = 0;
        assert_eq!(libc::waitpid(thread, &raw mut how, libc::__WALL), thread);
    }
    Some(())
}

#[test]
fn servers_that_start_at_the_same_moment_share_one_engine() {
    let _turn = turn();
    let home = alone();
    let (cursor, text) = marked(ADD);
    let mut clients: Vec<Client> = (0..6).map(|_| home.server(json!({}))).collect();
    let mut editors = Vec::new();
    for client in &mut clients {
        let mut editor = Editor::open(client, "file:///typed", "rust", &text);
        editor.press(client, &Stroke::Jump(cursor));
        editors.push((editor.ask(client), editor));
    }
    for (client, (asked, editor)) in clients.iter_mut().zip(&editors) {
        // A newer request of the same place may have taken its turn; the model is asked again then.
        let first = client.finish_inline_within(*asked, DEADLINE).expect("an answer");
        let shown = first.or_else(|| editor.suggestion(client).expect("an answer"));
        assert!(shown.is_some());
    }
    let engines: Vec<u32> = clients.iter_mut().map(|client| home.engine(client)).collect();
    assert!(engines.iter().all(|engine| *engine == engines[0]), "{engines:?}");
}

#[test]
fn a_socket_that_a_dead_engine_left_is_nobodys_and_a_lost_one_is_made_again() {
    let _turn = turn();
    let home = alone();
    let mut first = typist(&home);
    let dead = engine(&mut first.client).expect("an engine");
    drop(first);
    kill(dead, Signal::KILL);
    until("it is gone", || (!is_running(dead)).then_some(()));
    let sockets = || -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(home.file("run")).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|end| end == "sock")).collect()
    };
    assert_eq!(sockets().len(), 1, "it should have left one");
    let mut second = typist(&home);
    assert_eq!(second.shown().as_deref(), Some(" + b"));

    // Something cleans up and takes the socket of an engine that lives: whoever comes next cannot reach it.
    let lost = engine(&mut second.client).expect("an engine");
    sockets().iter().for_each(|socket| std::fs::remove_file(socket).expect("a socket"));
    let mut third = typist(&home);
    assert_eq!(third.shown().as_deref(), Some(" + b"));
    assert!(!is_running(lost), "two engines");
    assert_eq!(
        until("both use the new one", || {
            second.press(Stroke::Jump(0));
            engine(&mut second.client).filter(|engine| *engine != lost)
        }),
        home.engine(&mut third.client)
    );
}
