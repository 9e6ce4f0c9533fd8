//! The events of an answer's stream, a line each.
//!
//! In: lines. Out: the text that was told piece by piece is the text that is there at the end; counts never
//! fall. Refuses: nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem::ask::api::Progress;
use tandem::ask::api::events::Reading;

fuzz_target!(|bytes: &[u8]| {
    let Ok(lines) = std::str::from_utf8(bytes) else { return };
    let mut reading = Reading::new("sk-canary", None);
    let (mut told, mut output) = (String::new(), 0);
    for line in lines.lines() {
        let taken = reading.take(line, &mut |progress| match progress {
            Progress::Text(text) => told.push_str(&text),
            Progress::Usage(usage) => {
                assert!(usage.output >= output, "counts never fall");
                output = usage.output;
            }
            _ => {}
        });
        if taken.is_err() {
            break;
        }
    }
    let partial = reading.partial();
    assert_eq!(partial.text, told);
    assert!(partial.usage.output >= output);
});
