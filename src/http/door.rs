//! Connections: on which port, how many, for how long.
//!
//! In: an address on loopback and a session. Out: nothing; it serves until it is dropped. One process has
//! the port. A server that an editor started beside another one's goes on without, and takes the port when
//! the other ends.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::address::Address;
use super::answer::router;
use super::guard::Guard;
use crate::lsp::Session;
use crate::settings::Layers;

/// Open connections at most; others wait to be let in.
const CONNECTIONS: usize = 64;
/// How long a connection may take to say what it wants, also the next time.
const HEADERS: Duration = Duration::from_secs(60);
/// A connection ends then, whatever it does: one whose client reads nothing would be held for ever.
const LIFE: Duration = Duration::from_secs(600);
/// Bytes of headers at most.
const BUFFER: usize = 64 << 10;
/// How often a port that another process has is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How long to wait after a connection that could not be accepted: too many files are open, mostly.
const PAUSE: Duration = Duration::from_millis(100);

/// The token that is wanted from clients, if one is: `TANDEM_HTTP_TOKEN`, else `http.token` of the user's
/// own settings, as it is written there: also where something else in them is wrong.
///
/// # Errors
/// When one may be wanted and cannot be read. Nobody should be let in then.
pub fn token(user: &Result<Layers, String>) -> Result<Option<SecretString>, String> {
    token_of(std::env::var_os(crate::settings::HTTP_TOKEN), user)
}

fn token_of(
    environment: Option<OsString>,
    user: &Result<Layers, String>,
) -> Result<Option<SecretString>, String> {
    if let Some(token) = environment.filter(|token| !token.is_empty()) {
        let token = token.into_string().map_err(|_| "TANDEM_HTTP_TOKEN is not UTF-8")?;
        return Ok(Some(token.into()));
    }
    let user = &user.as_ref().map_err(Clone::clone)?.user;
    match user.get("tandem").unwrap_or(user).pointer("/http/token") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(token)) if token.is_empty() => Ok(None),
        Some(Value::String(token)) => Ok(Some(token.clone().into())),
        Some(_) => Err("http.token in config.toml must be a text in quotes".into()),
    }
}

/// Listens. Of two addresses the second is only for machines that do not have the first.
///
/// # Errors
/// When none can be had.
pub async fn listen(address: &Address) -> io::Result<TcpListener> {
    let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in address.all() {
        result = TcpListener::bind(address).await;
        match &result {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
            _ => return result,
        }
    }
    result
}

/// Why one cannot listen, and what to do.
pub fn why_not(address: &Address, error: &io::Error) -> String {
    let all: Vec<_> = address.all().iter().map(ToString::to_string).collect();
    let address = all.join(" and ");
    if error.kind() != io::ErrorKind::AddrInUse {
        return format!("cannot listen on {address}: {error}");
    }
    format!(
        "{address} is taken, likely by a `tandem serve --http` of another editor window, which \
         answers for this one too; else choose another port here and in the editor's settings"
    )
}

/// Serves on this port until it is dropped.
pub async fn serve(listener: TcpListener, session: Arc<Session>, token: Option<SecretString>) {
    // A listener that is bound knows where.
    let port = listener.local_addr().map_or(0, |address| address.port());
    let router = router(session, Guard { port, token });
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // Never closed, so it never fails.
        let permit = room.clone().acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // An answer is one short piece; waiting for more would only delay it.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let _permit = permit;
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(BUFFER);
            let connection = connection.serve_connection(TokioIo::new(stream), service);
            // A client that goes away is no error.
            let _ = tokio::time::timeout(LIFE, connection).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The same beside a language server, which goes on without a port as long as another process has it.
pub async fn serve_when_free(address: Address, session: Arc<Session>, token: Option<SecretString>) {
    let mut said = false;
    let listener = loop {
        match listen(&address).await {
            Ok(listener) => break listener,
            Err(error) if !said => {
                tracing::warn!("{}", why_not(&address, &error));
                said = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    };
    if said {
        tracing::warn!("the port is free now; listening");
    }
    serve(listener, session, token).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    #[test]
    fn a_token_that_cannot_be_read_lets_nobody_in() {
        let of = |environment: &str, user: Result<Value, &str>| {
            let layers = user.map(|user| Layers { user, ..Layers::default() });
            let token = token_of(Some(environment.into()), &layers.map_err(str::to_owned))?;
            Ok::<_, String>(token.map(|token| token.expose_secret().to_owned()))
        };
        let written = json!({"http": {"token": "a"}});
        assert_eq!(of("", Ok(written.clone())), Ok(Some("a".into())));
        assert_eq!(of("b", Ok(written)), Ok(Some("b".into())));
        assert_eq!(of("", Ok(json!({"tandem": {"http": {"token": "a"}}}))), Ok(Some("a".into())));
        // Something else is wrong with these settings, which leaves all of them out.
        let wrong = json!({"enabled": "perhaps", "http": {"token": "a"}});
        assert_eq!(of("", Ok(wrong)), Ok(Some("a".into())));
        assert_eq!(of("", Ok(json!({}))), Ok(None));
        assert!(of("", Ok(json!({"http": {"token": 1234}}))).is_err());
        assert!(of("", Err("config.toml cannot be read")).is_err());
    }
}
