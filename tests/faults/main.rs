//! What goes wrong around a language server, done to the real binary on purpose.
//!
//! Each time the process lives, the next request is answered in the time that was promised, standard output
//! carries nothing but frames, and every request has one answer: the last two are checked by the harness
//! itself, for every session of every test. Where a test needs an engine without a model, a scripted one
//! listens where the server looks for that of its model file.
//!
//! | what goes wrong | held by |
//! |---|---|
//! | 1, 2 a body that is no JSON or no UTF-8, half a surrogate pair | `wire::frames` |
//! | 3 a length that is none, negative, of 10 GB, missing; more headers, lower case | `wire::frames` |
//! | 4 one byte at a time; 1,000 requests in one write | `wire::frames` |
//! | 5 requests before `initialize` and after `shutdown`, `exit` | `wire::lifecycle` |
//! | 6 an editor that is killed, an input that ends | `lifecycle`, `wire::lifecycle` |
//! | 7 a client that stops reading | `lifecycle` |
//! | 8 random edits against a model of the text | `documents`; unit tests of `document`, `tests/fuzz` |
//! | 9 ranges that do not fit | `documents` |
//! | 10 versions that go back, changes of what is not open, opened twice, changed after closing | `documents` |
//! | 11 a byte order mark and CRLF | `documents` |
//! | 12 50 MB, a line of 10 MB, 200,000 open brackets; 100,000 files | `huge` |
//! | 13 binary content, a language that nobody knows | `documents` |
//! | 14 the model's own marks in a source | `real_model::answers` |
//! | 15 500 requests, each cancelled | `bursts`, `wire::bursts` |
//! | 16 a change while a suggestion is under way | `bursts` |
//! | 17 an engine that dies | `real_model::crashes` |
//! | 18 an engine that hangs | `real_model::hangs` |
//! | 19 a model file that is none | `models`, `wire::models`; unit tests of `model::gguf`, `tests/fuzz` |
//! | 20 a download that breaks off, a disk that is full, two downloads at once | `downloads`; unit tests of `model::pull` |
//! | 21 a context that is exactly full | `real_model::context` |
//! | 22 1,000 edits and completions equal a cold cache | `real_model::walk`; on a toy model, unit tests of `engine::worker` |
//! | 23 asking Claude without a key, refused, limited, overloaded, cut off, without a network, cancelled | `asking`; `claude::api`, `claude::flow` |
//! | 24 links in circles, files that must not leave | `huge`; `claude::flow`, unit tests of `ask` |
//! | 25 no network | `privacy` |
//! | 26 a panic in a handler | `panics` |
//!
//! And settings of a workspace that want more than they may: `settings`.

#![cfg(unix)]

#[cfg(feature = "net")]
mod asking;
mod bursts;
mod documents;
#[cfg(feature = "net")]
mod downloads;
// The same editor as in the tests of the server, which use other parts of it.
#[allow(dead_code)]
#[path = "../server/harness.rs"]
mod editor;
// Shared with the tests of the wire, which use other parts of it.
#[allow(dead_code)]
#[path = "../harness/server.rs"]
mod harness;
#[cfg(feature = "net")]
mod hub;
mod huge;
mod lifecycle;
mod models;
mod panics;
mod settings;
// As strict as the real one; shared with the tests of asking.
#[cfg(feature = "net")]
#[allow(dead_code, unused_imports)]
#[path = "../claude/stand_in.rs"]
mod stand_in;
