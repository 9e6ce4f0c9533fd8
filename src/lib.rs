//! tandem: a language server that completes code from a local Qwen-Coder model, at the speed of
//! typing.
//!
//! # The map of the house
//!
//! Data flows one way, and each arrow is a plain value:
//!
//! ```text
//!  editor ─▶ lsp ─▶ document ─▶ prompt ─▶ engine ─▶ suggestion ─▶ lsp ─▶ editor
//!                  (snapshot)  (Prompt)  (Event)   (Suggestion)
//!                     └────────── completer ──────────┘
//!                 workspace ─▶ context ─┘
//!                  (Index)    (comment)
//! ```
//!
//! | room | job |
//! |---|---|
//! | `main` | the command line: serve, complete, ask, key, stats, model, eval, doctor, demo |
//! | [`lsp`] | the protocol, and the only room that knows it or tower-lsp |
//! | `http` | completions in the shape of OpenAI's API, on loopback, from a session's completer (Zed) |
//! | [`document`] | open documents: rope, version, tree; positions; edits as checked values |
//! | [`syntax`] | languages from `grammars/`; what the syntax says about a piece of text |
//! | [`workspace`] | what other files define: an index kept in the background, and snapshots of it |
//! | [`context`] | which of that the model should know at a place (pure) |
//! | [`prompt`] | text and cursor → prompt: the anchored middle (pure) |
//! | [`completer`] | one request: typed-along answers → prompt → engine → suggestion |
//! | [`suggestion`] | how much of an answer is wanted, and what of it is shown (pure) |
//! | [`engine`] | `trait Engine`, the one seam; llama.cpp; its process; engines elsewhere; the scripted engine of the tests |
//! | [`ask`] | a question that spans files → bundle → a person's yes → Claude → answer, edits |
//! | [`model`] | find, download, check, import, choose a model; the best weights for this CPU |
//! | [`settings`] | raw settings from four places → one validated value |
//! | [`wanted`] | the settings → the engine they want |
//! | [`figures`] | what the server did, in numbers |
//! | [`journal`] | what becomes of suggestions, told from changes (pure), and the file that says so |
//! | [`stats`] | `tandem stats`: journal and ledger → one summary → text, JSON, a page |
//! | [`private`] | folders and files that are the user's alone; lines appended and read |
//! | [`once`], [`doctor`], [`demo`], [`eval`] | `tandem complete`, `tandem doctor`, `tandem demo`, `tandem eval` |
//! | [`client`] | a small editor: drives a server for the demo, the benches and the tests |
//! | [`machine`] | cores, memory, processes |
//!
//! The engine is a process of its own, shared by all editor windows of a user:
//!
//! ```text
//!  tandem serve (window 1) ─┐  engine::process            engine::host
//!  tandem serve (window 2) ─┼──── local socket, 0700 ────▶ tandem engine ─▶ llama.cpp
//!  tandem complete         ─┘  engine::wire                engine::worker, llama, cache, …
//! ```
//!
//! Who wants it has `engine::remote` in its place: HTTP to engines on other machines, with the same prompts as text.
//!
//! | in the engine | job |
//! |---|---|
//! | [`engine::worker`] | one thread, one model: which request is next, how one is answered |
//! | [`engine::transformer`] | what the worker needs of a model; `llama` is the real one |
//! | [`engine::llama`] | llama.cpp, with `llama/`: its context, weights for this CPU, GPUs |
//! | [`engine::heads`] | a prompt in the model's layout, and shorter ones for a quick first answer |
//! | [`engine::cache`], [`engine::healing`] | which tokens are where; the word being typed |
//! | [`engine::guess`], [`engine::draft`] | speculation: what is looked up, what a smaller model drafts |
//! | [`engine::names`], `engine::forks` | decoding that knows the names; where an answer could have gone on otherwise |
//! | [`engine::interrupt`] | when to break off what is being evaluated |
//! | [`engine::states`], [`engine::costs`] | KV states on disk; what batches cost here |
//! | [`engine::sandbox`] | what the process may do: seccomp, Landlock |
//!
//! # What always holds
//!
//! 1. Only `engine/llama.rs` and its folder name `llama_cpp_2`; only `model/`, `ask/` and `engine/remote/` can open a
//!    connection off this machine, and built without the feature `net` nothing can. Only `http/door.rs` listens on a port:
//!    on loopback, when it is told to, and without the feature `http` never.
//! 2. Document changes are applied in wire order, before any `.await`; a request works on the
//!    snapshot taken when it arrived. One for a menu goes on with the newer text while its word is typed on.
//! 3. Every request gets exactly one answer; a superseded one gets it at once.
//! 4. `prompt`, `context`, `suggestion`, `engine::cache`, `engine::heads`, `engine::healing`,
//!    `engine::guess` and `engine::names` do no I/O and cannot fail. A failed completion is an empty list and one
//!    message.
//! 5. Standard output carries only LSP frames while serving.
//! 6. Work in the background yields to any keystroke, within one operation of the model, and ends
//!    by itself: when nobody types, nothing runs.
//! 7. A model's or an adapter's file is read by llama.cpp only after our own header check and, where a hash is
//!    recorded, only if it matches.
//! 8. An engine restricts itself before it reads the model, where the system can do that, and has no key.
//!    One that dies or hangs is replaced; its requests are answered with nothing.
//! 9. Nothing is sent to Claude but the bytes that a person was shown, after a yes (or `ask.always` of their
//!    own settings, or `--yes`); what was not reserved in the budget is not sent.
//!
//! The first is held by a test that reads the sources, the others by tests of what they promise.

pub mod ask;
pub mod client;
pub mod completer;
pub mod context;
pub mod demo;
pub mod doctor;
pub mod document;
pub mod engine;
pub mod eval;
pub mod figures;
#[cfg(feature = "http")]
pub mod http;
pub mod journal;
pub mod lsp;
pub mod machine;
pub mod model;
mod net;
pub mod once;
pub mod private;
pub mod prompt;
pub mod settings;
pub mod stats;
pub mod suggestion;
pub mod syntax;
pub mod wanted;
pub mod workspace;
