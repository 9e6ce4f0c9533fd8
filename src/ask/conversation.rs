//! One conversation with Claude: what it may know, what was asked, what was answered. Pure.
//!
//! In: a question and a bundle. Out: [`Prepared`], the exact bytes of the next request with all that a
//! person should know before saying yes. Secrets and hidden characters are taken out here, of the
//! questions too, so that nothing else in the house holds what may be sent. Refuses nothing.

use jiff::civil::Date;

use super::bundle::{Bundle, Diagnostic, Item, Level};
use super::edits::Sent;
use super::price::{Model, Money, Thinking};
use super::privacy::{self, Found, Placeholders};
use super::question::Kind;
use super::request::{self, Draft, Part, Turn};
use super::sources::Read;
use super::tokens;
use crate::settings::AskSettings;

/// Bytes of a selection that are repeated beside the question; of a longer one the lines are named.
const SELECTION: usize = 4_000;

/// A question with its place.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub kind: Kind,
    /// In the person's words; the usual question where empty.
    pub question: String,
    /// The file, as the workspace names it.
    pub path: Option<String>,
    /// First and last line, from 1.
    pub lines: (usize, usize),
    /// The selected text; empty for a cursor.
    pub selection: String,
    pub diagnostic: Option<Diagnostic>,
}

/// One file on the list of what is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub path: String,
    pub level: Level,
    pub why: String,
    /// Estimated.
    pub tokens: u64,
    pub bytes: usize,
    /// Secrets that were taken out.
    pub redacted: Vec<Found>,
    /// Hidden characters that were taken out.
    pub hidden: usize,
    /// Of the text that is sent, in hex.
    pub sha256: String,
}

/// A conversation. No `Debug`: it knows the secrets that it took out.
#[derive(Default)]
pub struct Conversation {
    parts: Vec<Part>,
    rows: Vec<Row>,
    /// What was of use and is not sent, with the reason.
    pub left_out: Vec<(String, String)>,
    /// What edits may change.
    pub sent: Vec<Sent>,
    pub placeholders: Placeholders,
    turns: Vec<Turn>,
    /// Secrets taken out of the questions.
    of_questions: Vec<Found>,
}

/// What a request costs and says, before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The bytes that are sent, and no others.
    pub body: Vec<u8>,
    /// Of the body, in hex.
    pub sha256: String,
    pub kind: Kind,
    pub model: String,
    /// What it asks now.
    pub question: String,
    pub rows: Vec<Row>,
    /// Secrets taken out of the questions.
    pub of_questions: Vec<Found>,
    /// Of the whole request, estimated: at least, at most.
    pub tokens: (u64, u64),
    /// At least, at most; the most is what the budget has to have.
    pub cost: (Money, Money),
    pub answer_tokens: u32,
}

impl Conversation {
    /// A new one. `read` says what a file's text was when the bundle was made.
    pub fn new(asked: &Asked, bundle: Bundle, read: impl Fn(&str) -> Option<Read>) -> Conversation {
        let mut conversation =
            Conversation { left_out: bundle.left_out, ..Conversation::default() };
        // All secrets are known before the first text is made: what is called one in one file is taken
        // out of the others, too, and half a key is known from the whole.
        for item in &bundle.items {
            conversation.learn(&item.text);
            if let Some(whole) = read(&item.path) {
                conversation.learn(&whole.text);
            }
        }
        for item in bundle.items {
            conversation.add(item, &read);
        }
        conversation.ask(asked);
        conversation
    }

    /// The next question.
    pub fn ask(&mut self, asked: &Asked) {
        let words = asked.words();
        let (clean, found, _) = clean(&words, &mut self.placeholders);
        self.of_questions.extend(found);
        // One that was not sent after all.
        if self.turns.last().is_some_and(|turn| turn.answer.is_none()) {
            self.turns.pop();
        }
        self.turns.push(Turn { kind: asked.kind, question: clean, answer: None });
    }

    /// The last question's answer. Where nothing came, the question is taken back: the API takes no
    /// empty answer when one asks on.
    pub fn answer(&mut self, text: &str) {
        let (visible, _) = privacy::visible(text);
        match self.turns.last_mut() {
            Some(turn) if !visible.trim().is_empty() => turn.answer = Some(visible),
            _ => self.take_back(),
        }
    }

    /// Has nothing of it been sent and answered yet?
    pub fn is_fresh(&self) -> bool {
        matches!(&self.turns[..], [turn] if turn.answer.is_none())
    }

    /// Is there a question that has no answer?
    pub fn is_asking(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.answer.is_none())
    }

    /// Takes back the last question, which got no answer.
    pub fn take_back(&mut self) {
        if self.turns.last().is_some_and(|turn| turn.answer.is_none()) {
            self.turns.pop();
        }
    }

    /// Sends none of these files. Only before the first question is sent: what has gone has gone.
    pub fn without(&mut self, paths: &[String]) {
        if !self.is_fresh() {
            return;
        }
        let stays = |path: &str| !paths.iter().any(|other| other == path);
        self.parts.retain(|part| stays(&part.path));
        self.rows.retain(|row| stays(&row.path));
        self.sent.retain(|sent| stays(&sent.path));
        let taken = paths.iter().map(|path| (path.clone(), "you took it off the list".to_owned()));
        self.left_out.extend(taken);
    }

    /// Questions so far, the one to be sent too.
    pub fn turns(&self) -> usize {
        self.turns.len()
    }

    /// Files on the list.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The next request. `correction` is what estimates were off by so far: actual tokens for each
    /// estimated.
    pub fn prepare(
        &self,
        settings: &AskSettings,
        model: &Model,
        correction: Option<f64>,
        day: Date,
    ) -> Prepared {
        let (answer_tokens, effort) = (settings.answer_tokens, settings.effort);
        let adaptive = model.thinking() == Thinking::Adaptive;
        let body = request::body(Draft {
            model: model.id(),
            answer_tokens,
            adaptive,
            effort: effort.filter(|_| adaptive),
            parts: &self.parts,
            turns: &self.turns,
        });
        let tokens = estimated(&body, correction);
        let cost = model.range(tokens.0, tokens.1, u64::from(answer_tokens), day);
        let last = self.turns.last().cloned().unwrap_or_default();
        Prepared {
            sha256: request::hash(&body),
            body,
            kind: last.kind,
            model: model.id().to_owned(),
            question: last.question,
            rows: self.rows.clone(),
            of_questions: self.of_questions.clone(),
            tokens,
            cost,
            answer_tokens,
        }
    }

    fn learn(&mut self, text: &str) {
        self.placeholders.learn(&privacy::visible(text).0);
    }

    fn add(&mut self, item: Item, read: &impl Fn(&str) -> Option<Read>) {
        let (text, redacted, hidden) = clean(&item.text, &mut self.placeholders);
        // A name may hold what a text may.
        let (path, _, _) = clean(&item.path, &mut self.placeholders);
        let (bytes, tokens) = (text.len(), tokens::estimate(&text));
        let sha256 = request::hash(text.as_bytes());
        let (level, why) = (item.level, item.why);
        let shown = path.clone();
        self.rows.push(Row { path, level, why, tokens, bytes, redacted, hidden, sha256 });
        self.parts.push(Part { path: shown, level, text });
        if level == Level::Body
            && let Some(Read { text, .. }) = read(&item.path)
        {
            self.sent.push(Sent { path: item.path, text, parts: item.parts });
        }
    }
}

impl Asked {
    /// The person's words, or the usual ones.
    pub fn question(&self) -> &str {
        match self.question.trim() {
            "" => self.kind.usual_question(),
            question => question,
        }
    }

    /// All that a question says.
    fn words(&self) -> String {
        let mut words = String::new();
        if let Some(path) = &self.path {
            let path = request::name(path);
            let (first, last) = self.lines;
            words += &match first == last {
                true => format!("The place: {path}, line {first}.\n"),
                false => format!("The place: {path}, lines {first} to {last}.\n"),
            };
        }
        if !self.selection.trim().is_empty() && self.selection.len() <= SELECTION {
            words += &format!("The text there:\n{}\n", self.selection.trim_end());
        }
        if let Some(diagnostic) = &self.diagnostic {
            words += &format!("The tools say there:\n{}\n", diagnostic.message.trim_end());
            for (path, line) in &diagnostic.related {
                words += &format!("See also {}, line {}.\n", request::name(path), line + 1);
            }
        }
        format!("{words}{}{}", if words.is_empty() { "" } else { "\n" }, self.question())
    }
}

/// A text without secrets and hidden characters; what was taken out.
fn clean(text: &str, placeholders: &mut Placeholders) -> (String, Vec<Found>, usize) {
    let (redacted, hidden) = privacy::prepared(text, placeholders);
    (redacted.text, redacted.found, hidden)
}

/// Tokens of a body, at least and at most.
fn estimated(body: &[u8], correction: Option<f64>) -> (u64, u64) {
    let estimate = tokens::estimate(&String::from_utf8_lossy(body)) as f64;
    let (least, most) = match correction {
        // Known models of known texts differ by some percent.
        Some(correction) => (0.85 * correction, 1.25 * correction),
        None => (0.7, 1.3),
    };
    ((estimate * least) as u64, (estimate * most).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::ask::price::Table;

    fn item(path: &str, text: &str) -> Item {
        let (level, why) = (Level::Body, String::new());
        let tokens = tokens::estimate(text);
        Item {
            path: path.into(),
            level,
            parts: std::iter::once(0..text.len()).collect(),
            text: text.into(),
            why,
            tokens,
        }
    }

    fn begun(files: &[(&str, &str)], question: &str) -> Conversation {
        let items = files.iter().map(|(path, text)| item(path, text)).collect();
        let read = |name: &str| {
            let (_, text) = files.iter().find(|(path, _)| *path == name)?;
            Some(Read { text: (*text).into(), version: Some(7) })
        };
        let asked = Asked { question: question.into(), ..Asked::default() };
        Conversation::new(&asked, Bundle { items, left_out: Vec::new() }, read)
    }

    fn body(conversation: &Conversation) -> (String, Prepared) {
        let (table, _) = Table::new(&[]);
        let model = table.find("sonnet").unwrap();
        let settings = AskSettings::default();
        let prepared = conversation.prepare(&settings, model, None, date(2026, 11, 21));
        (String::from_utf8(prepared.body.clone()).unwrap(), prepared)
    }

    /// Put together here, so that no scanner takes this file for a leak.
    fn secret() -> String {
        format!("{}{}", "ghp_", "q7Rk2Zp9Xw4Lm8Ty3Vb6Nc1Hs5Dj0Gf2Ka7P")
    }

    #[test]
    fn a_secret_leaves_in_no_file_no_question_and_no_name() {
        let secret = secret();
        let text = format!("let token = \"{secret}\";\n");
        let name = format!("{secret}.rs");
        let conversation =
            begun(&[("a.rs", &text), (&name, "fn f() {}")], &format!("why is {secret} refused?"));
        let (body, prepared) = body(&conversation);
        assert!(!body.contains(&secret) && body.contains("[redacted: "), "{body}");
        assert_eq!((prepared.rows[0].redacted.len(), prepared.of_questions.len()), (1, 1));
        assert!(!crate::ask::preview::markdown(&prepared, &Default::default()).contains(&secret));
    }

    #[test]
    fn hidden_characters_leave_in_nothing() {
        let (body, prepared) =
            body(&begun(&[("a.rs", "let a\u{202e} = 1;\u{200b}")], "wh\u{200b}y?"));
        assert!(body.contains("let a = 1;") && body.contains("why?"), "{body}");
        assert_eq!(prepared.rows[0].hidden, 2);
    }

    #[test]
    fn a_question_that_follows_changes_no_byte_before_it() {
        let mut conversation = begun(&[("a.rs", "fn a() {}")], "why?");
        let (first, _) = body(&conversation);
        conversation.answer("So.");
        conversation.ask(&Asked { question: "And then?".into(), ..Asked::default() });
        let (second, _) = body(&conversation);
        let files = |body: &str| body.find("</file-").map(|end| body[..end].to_owned());
        assert_eq!(files(&first), files(&second));
        assert!(second.contains("So.") && second.contains("And then?"));
        // One that was shown and not sent is replaced.
        conversation.ask(&Asked { question: "Or else?".into(), ..Asked::default() });
        let (third, _) = body(&conversation);
        assert!(!third.contains("And then?") && third.contains("Or else?"));
    }

    #[test]
    fn what_is_taken_off_the_list_does_not_leave_and_cannot_be_edited() {
        let mut conversation = begun(&[("a.rs", "fn a() {}"), ("b.rs", "fn bbb() {}")], "why?");
        conversation.without(&["b.rs".to_owned()]);
        let (text, prepared) = body(&conversation);
        assert!(!text.contains("bbb") && !text.contains("b.rs"));
        assert_eq!((prepared.rows.len(), conversation.sent.len()), (1, 1));
        assert_eq!(conversation.left_out.len(), 1);
    }

    #[test]
    fn the_hash_is_that_of_the_bytes_and_the_estimate_follows_what_was_learned() {
        let conversation = begun(&[("a.rs", "fn a() {}")], "why?");
        let (_, prepared) = body(&conversation);
        assert_eq!(prepared.sha256, request::hash(&prepared.body));
        let (least, most) = estimated(&prepared.body, Some(2.0));
        assert!(prepared.tokens.0 < least && prepared.tokens.1 < most && least < most);
    }
}
