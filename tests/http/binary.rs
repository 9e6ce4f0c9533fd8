//! The real program: which ports it takes, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing in these tests takes this long unless it never comes.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often to look at what cannot be waited for.
const LOOK: Duration = Duration::from_millis(20);

/// The program of a user who has nothing yet; it ends with this value.
struct Program {
    child: Child,
    _home: TempDir,
}

impl Program {
    fn start(arguments: &[&str]) -> Program {
        let home = tempfile::tempdir().expect("a folder");
        let child = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .arg("serve")
            .args(arguments)
            .env("TANDEM_RUNTIME_DIR", home.path().join("run"))
            .env("TANDEM_DATA_DIR", home.path().join("data"))
            .env("TANDEM_CACHE_DIR", home.path().join("cache"))
            .env("TANDEM_CONFIG", home.path().join("config.toml"))
            .env("TANDEM_HTTP_TOKEN", "s3cret")
            .env_remove("TANDEM_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tandem starts");
        Program { child, _home: home }
    }

    /// The next line that it writes to standard error.
    fn says(&mut self) -> String {
        let mut line = Vec::new();
        let mut errors = self.child.stderr.take().expect("a pipe");
        let mut byte = [0];
        while errors.read(&mut byte).expect("a byte") == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        self.child.stderr = Some(errors);
        String::from_utf8(line).expect("UTF-8")
    }

    /// Its exit code.
    fn end(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            assert!(began.elapsed() < DEADLINE, "it does not end");
            std::thread::sleep(LOOK);
        }
    }

    /// What it answers to a request over the protocol.
    fn request(&mut self, method: &str, params: &Value) -> Value {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let input = self.child.stdin.as_mut().expect("a pipe");
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it reads");
        let mut output = BufReader::new(self.child.stdout.as_mut().expect("a pipe"));
        let mut header = String::new();
        output.read_line(&mut header).expect("a header");
        let length = header.trim_end().rsplit(' ').next().and_then(|it| it.parse().ok());
        output.read_line(&mut header).expect("an empty line");
        let mut body = vec![0; length.expect("a length")];
        output.read_exact(&mut body).expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of an answer to `GET /v1/models`.
fn models(address: &str, token: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let request = format!(
        "GET /v1/models HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}

#[test]
fn alone_it_says_where_it_listens_and_ends_with_a_signal() {
    let mut program = Program::start(&["--http", "127.0.0.1:0"]);
    let said = program.says();
    let address = said.split("http://").nth(1).and_then(|it| it.split('/').next());
    let address = address.unwrap_or_else(|| panic!("no address in {said:?}"));
    assert_eq!(models(address, "s3cret").expect("an answer"), "200");
    assert_eq!(models(address, "another").expect("an answer"), "401");
    let id = program.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    assert_eq!(program.end(), Some(0));
}

#[test]
fn other_addresses_than_loopbacks_are_refused_with_a_sentence() {
    for address in ["0.0.0.0:4127", "192.168.1.2:4127", "[::]:4127"] {
        let mut program = Program::start(&["--http", address]);
        assert!(program.says().contains("could be reached from other machines"), "{address}");
        assert_eq!(program.end(), Some(2));
    }
}

#[test]
fn alone_a_port_that_is_taken_is_an_error_that_says_who_may_have_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut program = Program::start(&["--http", &address]);
    let said = program.says();
    assert!(said.contains(&address) && said.contains("another editor window"), "{said}");
    assert_eq!(program.end(), Some(1));
}

#[test]
fn beside_an_editor_it_goes_on_without_the_port_and_takes_it_when_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut program = Program::start(&["--stdio", "--http", &address]);
    let answer = program.request("initialize", &json!({"capabilities": {}}));
    assert!(answer["result"]["capabilities"].is_object(), "{answer}");
    assert!(program.says().contains("is taken"));
    drop(taken);
    let began = Instant::now();
    while models(&address, "s3cret").ok().as_deref() != Some("200") {
        assert!(began.elapsed() < DEADLINE, "it does not take the port");
        std::thread::sleep(LOOK);
    }
    drop(program.child.stdin.take());
    assert_eq!(program.end(), Some(1), "the editor's going ends it, port or not");
}
