//! A source tree, read as the server reads it, and the names in it for the comparison.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tandem::ask::bundle::Texts;
use tandem::workspace::{Workspace, words};

use crate::cases::Case;

pub struct Tree {
    pub name: String,
    root: PathBuf,
    pub workspace: Workspace,
    /// As the workspace names them, in order, with their texts.
    pub files: Vec<(String, String)>,
    /// By name: numbers of files, and how often it is in each.
    pub occurs: HashMap<String, Vec<(usize, usize)>>,
}

impl Tree {
    pub fn read(root: &Path) -> Tree {
        let workspace = Workspace::default();
        workspace.open_folders(vec![root.to_owned()]);
        workspace.settle();
        let paths =
            workspace.snapshot().files().iter().map(|it| it.path.to_string()).collect::<Vec<_>>();
        let read = |path: String| Some((std::fs::read_to_string(root.join(&path)).ok()?, path));
        let files: Vec<(String, String)> =
            paths.into_iter().filter_map(read).map(|(text, path)| (path, text)).collect();
        let mut occurs: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for (number, (_, text)) in files.iter().enumerate() {
            for name in words::names(text) {
                let all = occurs.entry(name.to_owned()).or_default();
                match all.last_mut().filter(|last| last.0 == number) {
                    Some(last) => last.1 += 1,
                    None => all.push((number, 1)),
                }
            }
        }
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Tree { name, root: root.to_owned(), workspace, files, occurs }
    }

    pub fn texts<'a>(&'a self, case: &'a Case) -> impl Texts + use<'a> {
        Buffers { root: &self.root, buffers: &case.buffers }
    }
}

struct Buffers<'a> {
    root: &'a Path,
    buffers: &'a HashMap<String, String>,
}

impl Texts for Buffers<'_> {
    fn text(&self, path: &str) -> Option<String> {
        let buffer = self.buffers.get(path).cloned();
        buffer.or_else(|| std::fs::read_to_string(self.root.join(path)).ok())
    }
}
