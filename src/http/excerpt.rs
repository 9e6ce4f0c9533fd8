//! A prompt as clients write it → the text before and behind a cursor.
//!
//! In: `prompt` and `suffix` of a request. Out: an [`Excerpt`], or several where the marks do not tell:
//! whoever edits a file that has such marks in it sends more of them than it means. A prompt without any is
//! text with nothing behind it.
//!
//! Zed sends the lines around the cursor in the layout that its `prompt_format` names, Qwen's here, and
//! nothing else, no path either (zed-industries/zed, crates/edit_prediction/src/fim.rs). Others put a file's
//! name before it, as Qwen's layout for repositories has it.

/// Marks before the prefix, the suffix and the middle: Qwen's (and CodeGemma's), StarCoder's, DeepSeek's.
const LAYOUTS: [[&str; 3]; 3] = [
    ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
    ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
    ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
];
/// Stands before a file's name in Qwen's layout.
const FILE: &str = "<|file_sep|>";
/// More marks of one kind than this are no text that somebody edits.
const READINGS: usize = 8;

/// The text around a cursor, line breaks as `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    pub prefix: String,
    pub suffix: String,
    /// The file's name, where the prompt says it.
    pub path: Option<String>,
}

impl Excerpt {
    fn new(prefix: &str, suffix: &str, path: Option<&str>) -> Excerpt {
        let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        let path = path.map(str::trim).filter(|path| !path.is_empty()).map(str::to_owned);
        Excerpt { prefix: plain(prefix), suffix: plain(suffix), path }
    }

    /// All of it, without the cursor.
    pub fn whole(&self) -> String {
        format!("{}{}", self.prefix, self.suffix)
    }
}

/// What a prompt may mean; never nothing.
pub fn read(prompt: &str, suffix: Option<&str>) -> Vec<Excerpt> {
    let marked = LAYOUTS.iter().find_map(|marks| marked(prompt, marks));
    match (suffix, marked) {
        (None, Some(readings)) => readings,
        (suffix, _) => vec![Excerpt::new(prompt, suffix.unwrap_or_default(), None)],
    }
}

fn marked(prompt: &str, [prefix, suffix, middle]: &[&str; 3]) -> Option<Vec<Excerpt>> {
    let (head, text) = prompt.split_once(prefix)?;
    let path = head.rfind(FILE).map(|at| &head[at + FILE.len()..]);
    let path = path.and_then(|path| path.lines().next());
    let (text, begun) = text.rsplit_once(middle)?;
    // What stands behind the last mark is an answer's beginning: before the cursor, as it were.
    let reading = |at: usize| {
        let before = format!("{}{begun}", &text[..at]);
        Excerpt::new(&before, &text[at + suffix.len()..], path)
    };
    let readings: Vec<_> =
        text.match_indices(suffix).take(READINGS).map(|(at, _)| reading(at)).collect();
    (!readings.is_empty()).then_some(readings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(prefix: &str, suffix: &str, path: Option<&str>) -> Vec<Excerpt> {
        vec![Excerpt::new(prefix, suffix, path)]
    }

    #[test]
    fn a_prompt_is_taken_apart_at_its_marks() {
        let qwen = "<|fim_prefix|>fn a() {\n    <|fim_suffix|>\n}\n<|fim_middle|>";
        assert_eq!(read(qwen, None), excerpt("fn a() {\n    ", "\n}\n", None));
        let starcoder = "<fim_prefix>a<fim_suffix>b<fim_middle>";
        assert_eq!(read(starcoder, None), excerpt("a", "b", None));
        let deepseek = "<｜fim▁begin｜>a<｜fim▁hole｜>b<｜fim▁end｜>";
        assert_eq!(read(deepseek, None), excerpt("a", "b", None));
    }

    #[test]
    fn a_repositorys_layout_names_the_file_last() {
        let prompt = "<|repo_name|>r\n<|file_sep|>lib.rs\nuse a;\n<|file_sep|>src/main.rs\n\
                      <|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>";
        assert_eq!(read(prompt, None), excerpt("a", "b", Some("src/main.rs")));
    }

    #[test]
    fn without_marks_it_is_text_and_the_suffix_is_the_requests() {
        assert_eq!(read("a\r\nb", None), excerpt("a\nb", "", None));
        assert_eq!(read("a", Some("b")), excerpt("a", "b", None));
        assert_eq!(read("<|fim_prefix|>a", None), excerpt("<|fim_prefix|>a", "", None));
        assert_eq!(read("", None), excerpt("", "", None));
    }

    #[test]
    fn an_answer_that_was_begun_stands_before_the_cursor() {
        let prompt = "<|fim_prefix|>a<|fim_suffix|>c<|fim_middle|>b";
        assert_eq!(read(prompt, None), excerpt("ab", "c", None));
    }

    #[test]
    fn marks_in_the_text_itself_leave_several_readings() {
        let prompt = "<|fim_prefix|>say(\"<|fim_suffix|>\"<|fim_suffix|>);<|fim_middle|>";
        let readings = read(prompt, None);
        assert_eq!(readings.len(), 2);
        assert_eq!(readings[1], Excerpt::new("say(\"<|fim_suffix|>\"", ");", None));
    }
}
