//! The texts of files, each asked for once, and where their definitions stand.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use super::Texts;
use super::leads::language;
use crate::syntax::outline::places::Placed;

/// A parse may take this long: a person waits for the whole, and the same question is to have the same
/// answer on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// What was read so far.
pub struct Cache<'a> {
    texts: &'a dyn Texts,
    read: RefCell<HashMap<String, Option<Rc<str>>>>,
    placed: RefCell<HashMap<String, Rc<[Placed]>>>,
}

impl<'a> Cache<'a> {
    pub fn new(texts: &'a dyn Texts) -> Cache<'a> {
        Cache { texts, read: RefCell::default(), placed: RefCell::default() }
    }

    /// A file's text; `None` for one that must not be read, or cannot.
    pub fn text(&self, path: &str) -> Option<Rc<str>> {
        if let Some(known) = self.read.borrow().get(path) {
            return known.clone();
        }
        let text = self.texts.text(path).map(Rc::from);
        self.read.borrow_mut().insert(path.to_owned(), text.clone());
        text
    }

    /// Where a file's definitions stand.
    pub fn places(&self, path: &str) -> Rc<[Placed]> {
        if let Some(known) = self.placed.borrow().get(path) {
            return known.clone();
        }
        let text = self.text(path);
        let places =
            text.and_then(|text| Some(language(path)?.places(&text, PATIENCE))).unwrap_or_default();
        let places: Rc<[Placed]> = places.into();
        self.placed.borrow_mut().insert(path.to_owned(), places.clone());
        places
    }
}
