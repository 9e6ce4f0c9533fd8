//! Real editors, the real server and the real model, driven as a person would: by keys, looking at the screen.
//!
//! `make editors` gets the editors and runs this. An editor that is not here fails its tests, or with
//! `EDITORS=available` is skipped in so many words. Screens are kept in `target/editors/`.

#![cfg(all(unix, feature = "net"))]

mod desk;
mod helix;
mod life;
mod neovim;
#[path = "../claude/stand_in.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of asking Claude use the rest")]
mod stand_in;
mod terminal;
mod vscode;
#[cfg(feature = "http")]
mod zed;
