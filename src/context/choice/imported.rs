//! What the work as a whole is about: what the document imports and calls, what was just written. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Choice;
use crate::context::told;
use crate::context::words::{mentions, repeats};
use crate::syntax::calls::calls;
use crate::syntax::outline::{Import, Kind};
use crate::workspace::Found;

/// Bytes of a document's beginning in which its imports stand, where the index does not know them.
const IMPORTS: usize = 16 * 1024;
/// Bytes before and after the place in which calls are counted.
const CALLS: usize = 64 * 1024;
/// Functions that are imported and not named nearby: it is shared by these...
const IMPORTED: f64 = 1.0;
/// ... to this power of their number: each one's share falls little with it.
const SHARE: f64 = 0.25;
/// One that is used nowhere yet weighs so many times more.
const UNUSED: f64 = 2.0;
/// A type that is imported and not named nearby.
const TYPE: f64 = 0.2;
/// All functions of the modules that something is imported of.
const MODULES: f64 = 0.03;
/// What is called elsewhere in the document, once.
const CALLED: f64 = 0.12;
/// What was written last in another file: it was written for something. Each one before it weighs half
/// as much. Not measured.
const WRITTEN: f64 = 2.0;

impl Choice<'_> {
    pub fn imported(&mut self) {
        let read: Vec<Import>;
        let imports = match self.index.imports(self.place.path) {
            Some(imports) => imports,
            None => {
                let top = &self.place.text[..self.place.text.floor_char_boundary(IMPORTS)];
                let outline = self.place.language.outline(top);
                read = outline.map(|outline| outline.imports).unwrap_or_default();
                &read
            }
        };
        let (mut names, mut modules) = (BTreeSet::new(), HashSet::new());
        for import in imports {
            let mut parts = import.path.split([':', '.', '/']).filter(|it| !it.is_empty()).rev();
            let last = parts.next().unwrap_or_default();
            modules.extend([last].into_iter().chain(parts.next()));
            names.extend(import.names.iter().map(String::as_str).chain([last]));
        }
        modules.extend(&names);
        let scope = self.types.scope;
        names.retain(|name| scope.references.iter().all(|reference| reference.name != *name));
        let mut functions: Vec<(Found, f64)> = Vec::new();
        for name in names {
            let unused = if repeats(self.place.text, name) { 1.0 } else { UNUSED };
            let named = self.index.named(name).filter(|it| it.definition.kind == Kind::Function);
            functions.extend(named.map(|found| (found, unused / found.homonyms as f64)));
            if self.types.is_type(name) {
                self.receive(&[name.to_owned()], TYPE, None);
            }
        }
        let all = (functions.len() as f64).powf(SHARE);
        for (found, weight) in functions {
            self.add(found, IMPORTED * weight / all);
        }
        let is_wanted = |path: &str| modules.contains(told::module(path));
        let functions: Vec<Found> = self.index.functions_of(&is_wanted).collect();
        let all = functions.len() as f64;
        for found in functions {
            self.add(found, MODULES / all);
        }
    }

    /// What is called somewhere in the document, by a name that only one file defines. A method only
    /// where its type is spoken of: others have methods of that name too.
    pub fn called_before(&mut self) {
        let text = self.place.text;
        let from = text.floor_char_boundary(self.place.cursor.saturating_sub(CALLS));
        let to = text.floor_char_boundary((self.place.cursor + CALLS).min(text.len()));
        let text = &text[from..to];
        let mut spoken_of: HashMap<&str, bool> = HashMap::new();
        for (name, count) in calls(text) {
            let found = self
                .index
                .named(name)
                .filter(|found| found.homonyms == 1 && found.path != self.place.path);
            let found: Vec<Found> = found.collect();
            for found in found {
                let of = told::container(found.definition).unwrap_or_default();
                let is_meant = match found.definition.kind {
                    Kind::Function => true,
                    Kind::Method => {
                        let spoken = || mentions(text, of);
                        self.is_thought_of(found) || *spoken_of.entry(of).or_insert_with(spoken)
                    }
                    _ => false,
                };
                if is_meant {
                    self.add(found, CALLED * f64::from(count).sqrt());
                }
            }
        }
    }

    /// What was just written in another file.
    pub fn written_last(&mut self) {
        let mut weight = WRITTEN;
        let path = self.place.path;
        let written: Vec<Found> = self.index.fresh().filter(|found| found.path != path).collect();
        for found in written {
            if matches!(found.definition.kind, Kind::Function | Kind::Method | Kind::Type) {
                self.add(found, weight);
                weight /= 2.0;
            }
        }
    }

    fn is_thought_of(&self, found: Found) -> bool {
        self.scores.contains_key(&std::ptr::from_ref(found.definition))
    }
}
