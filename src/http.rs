//! Completions over HTTP, in the shape of OpenAI's `/v1/completions`, for editors whose ghost text asks
//! for them that way (Zed).
//!
//! In: connections on loopback. Out: answers from the session's own completer, so from the same engine,
//! memory of what may be typed along, settings and filters as over the Language Server Protocol. The prompt
//! is not given to the model as it is: `excerpt` takes it apart, `place` finds the open document that it is
//! of, and the completer makes its own prompt of the whole of that.
//! Refuses: other addresses than loopback's, what a browser sends, hosts that are not this one, a wrong
//! token, and more than a person could ask for.

mod address;
mod answer;
mod door;
mod excerpt;
mod guard;
mod loose;
mod place;
mod shapes;
mod turns;

pub use address::{Address, DEFAULT};
pub use door::{listen, serve, serve_when_free, token, why_not};
