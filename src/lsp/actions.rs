//! `textDocument/codeAction`: what can be asked of Claude here. An editor asks with every move of the
//! cursor, so that this looks at the text and nothing else: no network, no model, no file.

use serde_json::json;
use tower_lsp::lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, Diagnostic,
};

use super::ask::Arguments;
use super::ask::arguments::{ToldPlace, WireDiagnostic};
use super::session::{Session, WirePosition, WireRange, path_of};
use crate::ask::bundle;
use crate::ask::question::{self, Kind, Offer};
use crate::document::Snapshot;
use crate::syntax;

/// Bytes of a selection that are looked at.
const AROUND: usize = 10_000;

impl Session {
    /// What can be asked at a place.
    pub fn actions(&self, params: &CodeActionParams) -> Vec<CodeActionOrCommand> {
        if !self.settings.get().ask.enabled {
            return Vec::new();
        }
        let uri = params.text_document.uri.as_str();
        let mut range = wire(params.range);
        let wants = |kind: &CodeActionKind| {
            // A kind is wanted with all that stand below it.
            let below = |only: &CodeActionKind| {
                let rest = kind.as_str().strip_prefix(only.as_str());
                rest.is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with('.') || only.as_str().is_empty()
                })
            };
            params.context.only.as_ref().is_none_or(|only| only.iter().any(below))
        };
        let path = path_of(uri);
        if let Some(actions) = path.as_deref().and_then(|path| self.asks.actions_of_paper(path)) {
            let all = actions.into_iter().map(|(title, command, argument)| {
                action(title, CodeActionKind::QUICKFIX, command, argument, None)
            });
            return all.filter(|_| wants(&CodeActionKind::QUICKFIX)).collect();
        }
        let snapshot = self.documents.get(uri).and_then(|open| open.document.snapshot());
        let Some(snapshot) = snapshot.filter(|snapshot| !snapshot.too_large()) else {
            return Vec::new();
        };
        if self.facts().is_helix() && self.is_one_character(&snapshot, range) {
            range.end = range.start;
        }
        let of_answer = path.as_deref().and_then(|path| self.asks.conversation_of_answer(path));
        if !path.as_deref().is_some_and(|path| self.asks.is_paper(path)) {
            self.asks.note_place(ToldPlace { uri: uri.to_owned(), range });
        }
        let offers =
            self.offers(&snapshot, range, &params.context.diagnostics, of_answer.is_some());
        let offers = offers
            .into_iter()
            .filter(|(offer, _)| of_answer.is_none() || !offer.question.is_empty());
        let actions = offers.map(|(offer, range)| {
            let (kind, of) = kind_of(&offer, &params.context.diagnostics);
            let arguments = Arguments {
                uri: Some(uri.to_owned()),
                range: Some(range),
                kind: offer.kind,
                question: offer.question,
                diagnostic: of.as_ref().map(told),
                conversation: of_answer,
            };
            action(offer.title, kind, "tandem.ask", json!(arguments), of)
        });
        let fits = |action: &CodeActionOrCommand| match action {
            CodeActionOrCommand::CodeAction(CodeAction { kind: Some(kind), .. }) => wants(kind),
            _ => true,
        };
        let of_edits = path.as_deref().map(|path| self.asks.actions_of_answer(path));
        let of_edits = of_edits.into_iter().flatten().map(|(title, command, argument)| {
            action(title, CodeActionKind::QUICKFIX, command, argument, None)
        });
        actions.chain(of_edits).filter(fits).collect()
    }

    /// Helix's cursor is a selection of the character under it, which says nothing of what is meant.
    fn is_one_character(&self, snapshot: &Snapshot, range: WireRange) -> bool {
        let encoding = self.facts().encoding;
        let start = snapshot.to_byte(range.start.into(), encoding);
        let end = snapshot.to_byte(range.end.into(), encoding);
        end.saturating_sub(start) <= 4 && snapshot.slice(start..end).chars().count() <= 1
    }

    /// The offers, each with its range in the client's positions.
    fn offers(
        &self,
        snapshot: &Snapshot,
        range: WireRange,
        diagnostics: &[Diagnostic],
        in_answer: bool,
    ) -> Vec<(Offer, WireRange)> {
        let encoding = self.facts().encoding;
        let (start, end) = (range.start.into(), range.end.into());
        let (start, end) = (snapshot.to_byte(start, encoding), snapshot.to_byte(end, encoding));
        // A window of whole lines: a selection may be a whole file, its inside says nothing here.
        let first = snapshot.line_start(start);
        let last = snapshot.line_end(end.min(start + AROUND)).max(first);
        let text = snapshot.slice(first..last);
        let comment = syntax::language(&snapshot.language_id).map(|language| language.comment);
        let message = |it: &Diagnostic| it.message.clone();
        let said = |it| bundle::Diagnostic { message: message(it), ..Default::default() };
        let diagnostics: Vec<_> = diagnostics.iter().map(said).collect();
        let comment = if in_answer { None } else { comment };
        let inside = start - first..end.min(last) - first;
        let offers = question::offers(&text, inside, comment, &diagnostics).into_iter();
        let place =
            |byte: usize| -> WirePosition { snapshot.position(first + byte, encoding).into() };
        let placed = offers.map(|offer| {
            // What was selected stays selected, however long it is.
            let whole = offer.range.end + first >= last && end > last;
            let stop = if whole { range.end } else { place(offer.range.end) };
            let range = WireRange { start: place(offer.range.start), end: stop };
            (offer, range)
        });
        placed.collect()
    }
}

fn kind_of(offer: &Offer, diagnostics: &[Diagnostic]) -> (CodeActionKind, Option<Diagnostic>) {
    let of = offer.diagnostic.and_then(|number| diagnostics.get(number)).cloned();
    let kind = match offer.kind {
        Kind::Why => CodeActionKind::QUICKFIX,
        Kind::Change => CodeActionKind::REFACTOR_REWRITE,
        Kind::Ask if offer.question.is_empty() => CodeActionKind::REFACTOR,
        Kind::Ask => CodeActionKind::QUICKFIX,
    };
    (kind, of)
}

fn action(
    title: String,
    kind: CodeActionKind,
    command: &str,
    argument: serde_json::Value,
    of: Option<Diagnostic>,
) -> CodeActionOrCommand {
    let command =
        Command { title: title.clone(), command: command.into(), arguments: Some(vec![argument]) };
    CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(kind),
        diagnostics: of.map(|of| vec![of]),
        command: Some(command),
        ..CodeAction::default()
    })
}

fn told(diagnostic: &Diagnostic) -> WireDiagnostic {
    let related = diagnostic.related_information.iter().flatten();
    let related = related.map(|it| (it.location.uri.to_string(), it.location.range.start.line));
    WireDiagnostic { message: diagnostic.message.clone(), related: related.collect() }
}

fn wire(range: tower_lsp::lsp_types::Range) -> WireRange {
    let place = |at: tower_lsp::lsp_types::Position| WirePosition {
        line: at.line,
        character: at.character,
    };
    WireRange { start: place(range.start), end: place(range.end) }
}
