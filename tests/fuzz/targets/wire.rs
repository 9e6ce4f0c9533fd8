//! Lines between a server and the engine's process.
//!
//! In: bytes. Out: a message that is the same when it is written and read again, or an error. Refuses: nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem::engine::wire::{FromEngine, ToEngine, line, message};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(first) = message::<ToEngine>(text) {
        let written = line(&first).unwrap();
        let again = message::<ToEngine>(&written).unwrap();
        assert_eq!(line(&again).unwrap(), written);
        assert!(!written.contains('\n'), "a message is one line");
    }
    if let Ok(first) = message::<FromEngine>(text) {
        let written = line(&first).unwrap();
        let again = message::<FromEngine>(&written).unwrap();
        assert_eq!(line(&again).unwrap(), written);
    }
});
