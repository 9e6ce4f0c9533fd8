//! The stream of an answer from Claude: any events are an answer or an error, a key that stands in them is
//! never in what is said about them, and what is shown is what is kept.

use tandem::ask::api::Progress;
use tandem::ask::api::events::{Broken, Reading};

const SECRET: &str = "sk-ant-secret";

/// Events that are right, for the bytes to stand between.
const KNOWN: [&str; 8] = [
    r#"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":3}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
    r#"{"type":"message_stop"}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"error","error":{"type":"overloaded_error","message":"sk-ant-secret"}}"#,
];

pub fn check(data: &[u8]) {
    let mut reading = Reading::new(SECRET, None);
    let mut shown = String::new();
    let mut counted = 0;
    for line in data.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        // A line of one digit stands for a known event, so that the bytes get past the first.
        let event = match line {
            [digit @ b'0'..=b'7'] => KNOWN[usize::from(digit - b'0')],
            _ => &text,
        };
        let mut tell = |progress: Progress| match progress {
            Progress::Text(piece) => shown.push_str(&piece),
            Progress::Usage(usage) => {
                assert!(usage.output >= counted, "tokens were taken back");
                counted = usage.output;
            }
            _ => {}
        };
        if let Err(broken) = reading.take(event, &mut tell) {
            if let Broken::Failed { kind, message } = &broken {
                assert!(!kind.contains(SECRET) && !message.contains(SECRET), "{broken:?}");
            }
            break;
        }
    }
    assert_eq!(reading.partial().text, shown);
}
