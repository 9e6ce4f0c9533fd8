//! Which file defines what, and the way back from a name. Pure.
//!
//! In: outlines of files. Out: the definitions with a name, or inside a type of that name; what a type
//! extends, what a file imports. A file is put and removed as a whole; what it holds costs memory only
//! once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::syntax::outline::{Definition, Import, Kind, Outline};

/// Definitions in all; about 100 MB with their names and signatures. Files that come later are left
/// out.
pub const MOST_DEFINITIONS: usize = 400_000;

/// Definitions that count as just written.
const MOST_FRESH: usize = 8;

/// Files that one name is looked up in: more of them say nothing, and take time.
const MOST_HOMONYMS: usize = 64;

/// A definition, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// As the workspace names the file: relative to its folder, with `/`.
    pub path: &'a str,
    /// As in `textDocument.languageId`.
    pub language: &'a str,
    /// What is defined.
    pub definition: &'a Definition,
    /// Files that define this name, or something in a type of this name.
    pub homonyms: usize,
}

/// A file, as the index holds it.
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a> {
    pub path: &'a Arc<str>,
    /// As in `textDocument.languageId`.
    pub language: &'static str,
    pub definitions: &'a Arc<[Definition]>,
    pub imports: &'a Arc<[Import]>,
}

/// The definitions of a workspace.
#[derive(Debug, Default)]
pub struct Index {
    files: HashMap<Arc<str>, File>,
    by_name: HashMap<Box<str>, Vec<Arc<str>>>,
    by_container: HashMap<Box<str>, Vec<Arc<str>>>,
    /// Files that say what a type of this name extends.
    by_extended: HashMap<Box<str>, Vec<Arc<str>>>,
    definitions: usize,
    /// A file and a name that it did not define before, the last one first.
    fresh: VecDeque<(Arc<str>, Box<str>)>,
}

#[derive(Debug)]
struct File {
    language: &'static str,
    definitions: Arc<[Definition]>,
    imports: Arc<[Import]>,
    bases: Box<[(String, String)]>,
}

impl Index {
    /// Puts a file in the place of what was known of it.
    pub fn put(&mut self, path: &str, language: &'static str, outline: Outline) {
        self.note_fresh(path, &outline.definitions);
        self.remove(path);
        let definitions: Arc<[Definition]> = outline.definitions.into();
        if definitions.is_empty() || self.definitions + definitions.len() > MOST_DEFINITIONS {
            return;
        }
        let path: Arc<str> = path.into();
        for definition in &*definitions {
            note(&mut self.by_name, &definition.name, &path);
            if let Some(container) = &definition.container {
                note(&mut self.by_container, container, &path);
            }
        }
        for (of, _) in &outline.bases {
            note(&mut self.by_extended, of, &path);
        }
        let (imports, bases) = (outline.imports.into(), outline.bases.into());
        self.definitions += definitions.len();
        self.files.insert(path, File { language, definitions, imports, bases });
    }

    /// Notes what a known file did not define before.
    fn note_fresh(&mut self, path: &str, definitions: &[Definition]) {
        let Some((path, file)) = self.files.get_key_value(path) else { return };
        let known: HashSet<&str> = file.definitions.iter().map(|it| it.name.as_str()).collect();
        let fresh: Vec<_> =
            definitions.iter().filter(|it| !known.contains(it.name.as_str())).collect();
        // A file written anew, as by a change of branch, is not what someone has just written.
        if fresh.len() > MOST_FRESH {
            return;
        }
        for definition in fresh {
            self.fresh.push_front((path.clone(), definition.name.as_str().into()));
        }
        // A name that is being typed leaves its beginnings behind.
        self.fresh.truncate(4 * MOST_FRESH);
    }

    /// What was written last, in any file, and still stands there; the last one first.
    pub fn fresh(&self) -> impl Iterator<Item = Found<'_>> {
        let mut seen = HashSet::new();
        let all = self.fresh.iter().filter(move |both| seen.insert(*both));
        let found =
            all.filter_map(|(path, name)| self.named(name).find(|found| *found.path == **path));
        found.take(MOST_FRESH)
    }

    /// Forgets a file.
    pub fn remove(&mut self, path: &str) {
        let Some(file) = self.files.remove(path) else { return };
        self.definitions -= file.definitions.len();
        for definition in &*file.definitions {
            forget(&mut self.by_name, &definition.name, path);
            if let Some(container) = &definition.container {
                forget(&mut self.by_container, container, path);
            }
        }
        for (of, _) in &file.bases {
            forget(&mut self.by_extended, of, path);
        }
    }

    /// What types of this name extend or implement.
    pub fn bases<'a, 'n>(&'a self, of: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let paths = self.by_extended.get(of).map(Vec::as_slice).unwrap_or_default();
        let files = paths.iter().filter_map(|path| self.files.get(path));
        let bases = files.flat_map(|file| &file.bases).filter(move |(name, _)| name == of);
        bases.map(|(_, base)| base.as_str())
    }

    /// What a file imports; `None` when it is not known.
    pub fn imports(&self, path: &str) -> Option<&[Import]> {
        self.files.get(path).map(|file| &*file.imports)
    }

    /// Functions that are in no type, of the files that are wanted.
    pub fn functions_of<'a>(
        &'a self,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> impl Iterator<Item = Found<'a>> {
        let files: Vec<_> = self.files.iter().filter(|(path, _)| is_wanted(path)).collect();
        files.into_iter().flat_map(|(path, file)| {
            let functions = file.definitions.iter().filter(|it| it.kind == Kind::Function);
            functions.map(|definition| Found {
                path,
                language: file.language,
                definition,
                homonyms: 1,
            })
        })
    }

    /// What has this name.
    pub fn named<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = Found<'a>> + use<'a, 'n> {
        self.found(&self.by_name, name, move |definition| definition.name == name)
    }

    /// What has this name and stands directly in a type, class or module of that name.
    pub fn named_in<'a, 'n>(
        &'a self,
        name: &'n str,
        container: &'n str,
    ) -> impl Iterator<Item = Found<'a>> + use<'a, 'n> {
        self.found(&self.by_container, container, move |definition| {
            definition.name == name && definition.container.as_deref() == Some(container)
        })
    }

    /// What stands directly in a type, class or module of this name.
    pub fn members<'a, 'n>(
        &'a self,
        container: &'n str,
    ) -> impl Iterator<Item = Found<'a>> + use<'a, 'n> {
        let inside =
            move |definition: &Definition| definition.container.as_deref() == Some(container);
        self.found(&self.by_container, container, inside)
    }

    /// Every name that is defined.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(|name| &**name)
    }

    /// Each file with what it defines and imports, shared rather than copied: a lock on the index need
    /// not be held to read them.
    pub fn shared(&self) -> impl Iterator<Item = Shared<'_>> {
        self.files.iter().map(|(path, file)| Shared {
            path,
            language: file.language,
            definitions: &file.definitions,
            imports: &file.imports,
        })
    }

    /// Files with definitions.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Definitions in all files.
    pub fn definitions(&self) -> usize {
        self.definitions
    }

    fn found<'a, F: Fn(&Definition) -> bool + Copy>(
        &'a self,
        map: &'a HashMap<Box<str>, Vec<Arc<str>>>,
        key: &str,
        fits: F,
    ) -> impl Iterator<Item = Found<'a>> + use<'a, F> {
        let paths = map.get(key).map(Vec::as_slice).unwrap_or_default();
        let looked_at = paths.iter().take(MOST_HOMONYMS);
        let files = looked_at.filter_map(|path| Some((path, self.files.get(path)?)));
        files.flat_map(move |(path, file)| {
            file.definitions.iter().filter(move |definition| fits(definition)).map(
                move |definition| Found {
                    path,
                    language: file.language,
                    definition,
                    homonyms: paths.len(),
                },
            )
        })
    }
}

fn note(map: &mut HashMap<Box<str>, Vec<Arc<str>>>, key: &str, path: &Arc<str>) {
    match map.get_mut(key) {
        Some(paths) if paths.iter().any(|known| known == path) => {}
        Some(paths) => paths.push(path.clone()),
        None => drop(map.insert(key.into(), vec![path.clone()])),
    }
}

fn forget(map: &mut HashMap<Box<str>, Vec<Arc<str>>>, key: &str, path: &str) {
    if let Some(paths) = map.get_mut(key) {
        paths.retain(|known| &**known != path);
        if paths.is_empty() {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax;

    fn put(index: &mut Index, path: &str, text: &str) {
        let outline = syntax::language("rust").unwrap().outline(text).unwrap();
        index.put(path, "rust", outline);
    }

    fn names<'a>(found: impl Iterator<Item = Found<'a>>) -> Vec<String> {
        found.map(|f| format!("{} {}", f.path, f.definition.signature)).collect()
    }

    #[test]
    fn a_name_and_a_type_lead_to_what_is_defined() {
        let mut index = Index::default();
        put(&mut index, "a.rs", "pub struct Shop;\nimpl Shop {\n    pub fn open(&self) {}\n}\n");
        put(&mut index, "b.rs", "fn open() {}\n");
        assert_eq!(names(index.named("open")), ["a.rs pub fn open(&self)", "b.rs fn open()"]);
        assert_eq!(names(index.members("Shop")), ["a.rs pub fn open(&self)"]);
        assert_eq!(index.named("open").next().unwrap().homonyms, 2);
        assert_eq!((index.files(), index.definitions()), (2, 3));
    }

    #[test]
    fn a_file_replaces_what_was_known_of_it_and_leaves_nothing() {
        let mut index = Index::default();
        put(&mut index, "a.rs", "fn first() {}\nfn second() {}\n");
        put(&mut index, "a.rs", "fn second() {}\n");
        assert_eq!(names(index.named("first")), [""; 0]);
        assert_eq!(names(index.named("second")), ["a.rs fn second()"]);
        index.remove("a.rs");
        assert_eq!((index.files(), index.definitions(), index.by_name.len()), (0, 0, 0));
    }

    #[test]
    fn what_was_written_last_is_fresh_while_it_stands() {
        let fresh = |index: &Index| names(index.fresh());
        let mut index = Index::default();
        put(&mut index, "a.rs", "fn old() {}\n");
        assert_eq!(fresh(&index), [""; 0]);
        put(&mut index, "a.rs", "fn old() {}\nfn ne() {}\n");
        put(&mut index, "a.rs", "fn old() {}\nfn new() {}\n");
        put(&mut index, "a.rs", "fn old() {}\nfn new() {}\nfn newer() {}\n");
        assert_eq!(fresh(&index), ["a.rs fn newer()", "a.rs fn new()"]);
        put(&mut index, "a.rs", "fn old() {}\n");
        assert_eq!(fresh(&index), [""; 0]);
        let other: String = (0..50).map(|number| format!("fn f{number}() {{}}\n")).collect();
        put(&mut index, "a.rs", &other);
        assert_eq!(fresh(&index), [""; 0]);
    }

    #[test]
    fn what_a_type_extends_is_known_until_the_file_is_gone() {
        let mut index = Index::default();
        put(&mut index, "a.rs", "struct Shop;\nimpl Sell for Shop {}\n");
        put(&mut index, "b.rs", "use a::b;\ntrait Sell: Stock {}\n");
        let bases = |index: &Index, of| index.bases(of).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            (bases(&index, "Shop"), bases(&index, "Sell")),
            (vec!["Sell".to_owned()], vec!["Stock".to_owned()])
        );
        assert_eq!(index.imports("b.rs").unwrap()[0].path, "a::b");
        index.remove("a.rs");
        assert_eq!((bases(&index, "Shop").len(), index.by_extended.len()), (0, 1));
    }
}
