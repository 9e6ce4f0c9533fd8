//! A request to an address, and its answer.
//!
//! In: a [`Request`]. Out: events as they come, and figures at the end; else a [`Setback`]. Work in the background
//! stays out of the way of keys where an engine is slow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::{StatusCode, header};
use sse_stream::SseByteStream;
use tokio::sync::{mpsc, watch};

use super::{Known, LONGEST_ANSWER, Setback, Site};
use crate::engine::remote::SILENCE;
use crate::engine::remote::dialect::Ask;
use crate::engine::remote::memory::Read;
use crate::engine::remote::reading::{Piece, Reading, Unusable};
use crate::engine::remote::short::shorter;
use crate::engine::{Event, Figures, Request, Stop, Urgency, healing};
use crate::net;
use crate::prompt::Prompt;

impl Site {
    /// Sends a request and passes its answer on, but not its end.
    ///
    /// # Errors
    /// When there is no answer, or not all of one.
    pub async fn ask(
        &self,
        request: &Request,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<(Arc<Known>, Figures), Setback> {
        let known = self.known().await?;
        let figures = match request.urgency {
            Urgency::Now => self.for_a_key(&known, request, events).await?,
            Urgency::Idle => self.between_keys(&known, request, events).await?,
        };
        Ok((known, figures))
    }

    async fn for_a_key(
        &self,
        known: &Known,
        request: &Request,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<Figures, Setback> {
        let kept = healing::kept(&request.prompt.middle);
        let write = |prompt: &Prompt| known.family.write(prompt, kept);
        let whole = write(&request.prompt);
        let (prompt, quick) = match request.quick {
            true => {
                let short = |bytes| write(&shorter(&request.prompt, bytes));
                self.memory().choose(whole, short)
            }
            false => (whole, false),
        };
        let _busy = Busy::new(&self.keys);
        let figures = self.once(known, request, &prompt, events, &mut Said::default()).await?;
        Ok(Figures { quick, ..figures })
    }

    /// Work in the background. On a slow engine there is one piece of it at a time; it stops for each key, and goes on
    /// from what it has said.
    async fn between_keys(
        &self,
        known: &Known,
        request: &Request,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Result<Figures, Setback> {
        let is_slow = self.memory().is_slow();
        let _turn = if is_slow { Some(self.background.lock().await) } else { None };
        let mut rest = request.clone();
        let (mut evaluated, mut generated) = (0, 0);
        loop {
            let has_said = rest.prompt != request.prompt;
            let again =
                |setback: Setback| Setback { has_said: setback.has_said || has_said, ..setback };
            let prompt = known.family.write(&rest.prompt, healing::kept(&rest.prompt.middle));
            self.read_ahead(known, &prompt, &mut evaluated).await.map_err(again)?;
            let mut said = Said::default();
            let figures = tokio::select! {
                biased;
                figures = self.once(known, &rest, &prompt, events, &mut said) => Some(figures),
                () = self.key_waits(true), if is_slow => None,
            };
            // What was read and said before is of this request, too, although its last part found it there.
            let in_all = move |figures: Figures| Figures {
                evaluated: figures.evaluated.saturating_add(evaluated),
                reused: figures.reused.saturating_sub(evaluated),
                generated: figures.generated.saturating_add(generated),
                ..figures
            };
            if let Some(figures) = figures {
                return figures.map(in_all).map_err(again);
            }
            evaluated = evaluated.saturating_add(said.read.evaluated);
            generated = generated.saturating_add(said.tokens);
            rest.prompt = rest.prompt.further(&said.text);
            rest.max_tokens -= said.tokens.min(rest.max_tokens);
            if rest.max_tokens == 0 && request.max_tokens > 0 {
                return Ok(Figures { evaluated, generated, ..Figures::default() });
            }
        }
    }

    /// One request, whose answer is passed on as it comes.
    async fn once(
        &self,
        known: &Known,
        request: &Request,
        prompt: &str,
        events: &mpsc::UnboundedSender<Event>,
        said: &mut Said,
    ) -> Result<Figures, Setback> {
        let started = Instant::now();
        let word = &request.prompt.middle[healing::kept(&request.prompt.middle)..];
        let (model, family, max_tokens) = (&*known.model, known.family, request.max_tokens);
        let ask = Ask { model, prompt, word, max_tokens, family };
        let mut reading = Reading::new(word);
        let mut begun = None;
        let mut pass_on = |reading: &Reading, text: String| {
            if begun.is_none() {
                begun = Some(Instant::now());
                said.read = reading.read;
                // It has read all of it, whether or not its answer is wanted to the end.
                self.memory().note(prompt, reading.read);
                let _ = events.send(Event::Begun(figures(reading, started, begun)));
            }
            said.text.push_str(&text);
            said.tokens = reading.tokens;
            let is_line = request.stop == Stop::Line && text.contains('\n');
            let _ = events.send(Event::Text(text));
            is_line || reading.tokens >= max_tokens
        };
        self.stream(known, &ask, &mut reading, &mut pass_on).await?;
        if begun.is_none() {
            self.memory().note(prompt, reading.read);
        }
        Ok(figures(&reading, started, begun))
    }

    /// Waits until a key waits for its answer, or until none does.
    async fn key_waits(&self, wanted: bool) {
        // The sender lives as long as we do.
        let _ = self.keys.subscribe().wait_for(|waiting| (*waiting > 0) == wanted).await;
    }

    /// Has a slow engine read the beginning of a prompt in pieces, between which it has time for keys. Adds up what
    /// that took.
    async fn read_ahead(
        &self,
        known: &Known,
        prompt: &str,
        evaluated: &mut u32,
    ) -> Result<(), Setback> {
        while self.memory().is_slow() {
            self.key_waits(false).await;
            let Some(piece) = self.memory().piece(prompt).map(str::len) else { return Ok(()) };
            let (model, prompt) = (&*known.model, &prompt[..piece]);
            let ask = Ask { model, prompt, word: "", max_tokens: 0, family: known.family };
            let mut reading = Reading::new("");
            self.stream(known, &ask, &mut reading, &mut |_, _| true).await?;
            self.memory().note(prompt, reading.read);
            *evaluated = evaluated.saturating_add(reading.read.evaluated);
        }
        Ok(())
    }

    /// Sends a request and hands each text to `take` until that has enough, or to nobody when there is to be none.
    async fn stream(
        &self,
        known: &Known,
        ask: &Ask<'_>,
        reading: &mut Reading,
        take: &mut (dyn FnMut(&Reading, String) -> bool + Send),
    ) -> Result<(), Setback> {
        let body = known.dialect.body(ask).to_string();
        let post = self.client.post(self.url("completions")).body(body);
        let response = self.send(post.header(header::CONTENT_TYPE, "application/json")).await?;
        if response.status() == StatusCode::NOT_FOUND {
            // It may have another model by now.
            *self.known.lock().await = None;
        }
        let response = self.accepted(response).await?;
        let mut all = 0_usize;
        let pieces = response.bytes_stream().map(move |piece| {
            let piece = piece.map_err(|error| {
                std::io::Error::other(match error.is_timeout() {
                    true => format!("it said nothing for {} s", SILENCE.as_secs()),
                    false => net::reason(error),
                })
            })?;
            all = all.saturating_add(piece.len());
            let is_all = all <= LONGEST_ANSWER;
            is_all.then_some(piece).ok_or_else(|| std::io::Error::other("it does not end"))
        });
        let mut pieces = std::pin::pin!(SseByteStream::new(pieces));
        let mut has_said = false;
        while let Some(event) = pieces.next().await {
            let event = event.map_err(|error| Setback {
                has_said,
                ..self.setback(&format!("broke off: {error}"))
            })?;
            let Some(data) = event.data else { continue };
            let text = match reading.take(&data) {
                Ok(Piece::Text(text)) => text,
                Ok(Piece::End) | Err(Unusable::OtherWord) => break,
                Err(Unusable::Strange(why)) => {
                    let why = self.without_key(&why).await;
                    return Err(Setback { has_said, ..self.setback(&format!("failed: {why}")) });
                }
            };
            if text.is_empty() || ask.max_tokens == 0 {
                continue;
            }
            has_said = true;
            if take(reading, text) {
                break;
            }
        }
        Ok(())
    }
}

/// Counts a keystroke that waits for its answer.
struct Busy<'a>(&'a watch::Sender<usize>);

impl Busy<'_> {
    fn new(keys: &watch::Sender<usize>) -> Busy<'_> {
        keys.send_modify(|waiting| *waiting += 1);
        Busy(keys)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

/// What was passed on of an answer.
#[derive(Default)]
struct Said {
    text: String,
    tokens: u32,
    /// What became of the prompt.
    read: Read,
}

fn figures(reading: &Reading, started: Instant, begun: Option<Instant>) -> Figures {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let first = begun.unwrap_or_else(Instant::now);
    Figures {
        evaluated: reading.read.evaluated,
        generated: reading.tokens,
        reused: reading.read.reused,
        confidence: reading.confidence,
        prefill_ms: ms(first - started),
        decode_ms: ms(first.elapsed()),
        ..Figures::default()
    }
}
