//! Completions over HTTP: on a scripted engine in this process, and the real binary's port.

#[cfg(unix)]
mod binary;
mod documents;
mod harness;
mod refusals;
mod zed;
