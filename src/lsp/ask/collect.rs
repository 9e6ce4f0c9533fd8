//! From a place in the editor to all that a question may draw on: the folders, the buffers, what may
//! leave, the bundle. Reads files; call it where that does no harm.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{Arguments, ToldPlace};
use crate::ask::bundle::{self, Diagnostic, Inquiry};
use crate::ask::conversation::{Asked, Conversation};
use crate::ask::privacy::Guard;
use crate::ask::sources::{Read, Sources, name_in, own_folder};
use crate::lsp::session::{Session, WirePosition, path_of};
use crate::workspace::Workspace;

impl Session {
    /// What is asked, and where, in the workspace's terms.
    pub(super) fn asked(
        &self,
        told: &Arguments,
        place: Option<&ToldPlace>,
        folders: &[PathBuf],
    ) -> (Asked, Inquiry) {
        let name = |uri: &str| name_in(folders, &path_of(uri)?);
        let diagnostic = told.diagnostic.as_ref().map(|told| {
            let related = told.related.iter().filter_map(|(uri, line)| Some((name(uri)?, *line)));
            Diagnostic { message: told.message.clone(), related: related.collect() }
        });
        let (kind, question) = (told.kind, told.question.clone());
        let mut asked = Asked { kind, question, diagnostic, ..Asked::default() };
        let mut recent: Vec<_> =
            self.documents.iter().filter_map(|open| name(open.key())).collect();
        recent.sort();
        let mut inquiry = Inquiry { recent, ..Inquiry::default() };
        let snapshot = place.and_then(|place| {
            let open = self.documents.get(&place.uri)?;
            Some((place, open.document.snapshot()?))
        });
        if let Some((place, snapshot)) = snapshot {
            let encoding = self.facts().encoding;
            let byte = |at: WirePosition| snapshot.to_byte(at.into(), encoding);
            let (start, end) = (byte(place.range.start), byte(place.range.end));
            let line = |byte: usize| snapshot.rope.byte_to_line(byte.min(snapshot.len_bytes())) + 1;
            asked.path = name(&place.uri);
            asked.lines = (line(start), line(end));
            asked.selection = snapshot.slice(start..end);
            inquiry.range = start..end.max(start);
        }
        (asked, inquiry)
    }

    /// The conversation with all that it may know, and what a person should hear. Reads files. `paths`
    /// are those that the question itself names, the place first.
    pub(super) fn collected(
        &self,
        mut asked: Asked,
        mut inquiry: Inquiry,
        paths: &[PathBuf],
        folders: &[PathBuf],
        budget: u64,
    ) -> Result<(Conversation, Vec<String>), String> {
        let buffers = self.buffers();
        let read = self.read_workspace(folders, &buffers);
        let (guard, warnings) = Guard::new(folders, &self.settings.get().ask.never);
        let sources = Sources::new(folders.to_vec(), buffers, guard);
        // The question holds the selection and names places, which no bundle looks at.
        if let Some(path) = paths.first().filter(|_| asked.path.is_some())
            && let Some(why) = sources.refuses(path)
        {
            return Err(format!("{} is never sent: {why}", path.display()));
        }
        if let Some(diagnostic) = &mut asked.diagnostic {
            let may = |name: &str| {
                let path =
                    paths.iter().find(|path| name_in(folders, path).as_deref() == Some(name));
                path.is_some_and(|path| sources.refuses(path).is_none())
            };
            diagnostic.related.retain(|(name, _)| may(name));
        }
        inquiry.question = asked.question().to_owned();
        (inquiry.path, inquiry.diagnostic) = (asked.path.clone(), asked.diagnostic.clone());
        let mut bundle = bundle::bundle(&inquiry, read.snapshot(), &sources, budget);
        bundle.left_out.extend(sources.refused());
        let conversation = Conversation::new(&asked, bundle, |name| sources.read(name));
        Ok((conversation, warnings))
    }

    /// The workspace read whole: the session's own where it has these folders, else one for this question
    /// alone, so that strangers' files do not stay in it.
    fn read_workspace(
        &self,
        folders: &[PathBuf],
        buffers: &HashMap<PathBuf, Read>,
    ) -> Arc<Workspace> {
        let known = self.workspace.folders();
        let same = folders.iter().all(|folder| known.contains(folder))
            && known.iter().all(|folder| folders.contains(folder));
        if same {
            self.workspace.settle();
            return self.workspace.clone();
        }
        let own = Workspace::default();
        own.open_folders(folders.to_vec());
        for (path, read) in buffers.iter().filter(|(path, _)| name_in(folders, path).is_some()) {
            own.buffer(path, &ropey::Rope::from_str(&read.text));
        }
        own.settle();
        Arc::new(own)
    }

    /// The workspace's folders, that of the file first; for a file outside, or without any, the file's
    /// repository or folder.
    pub(super) fn folders_of(&self, file: Option<&Path>) -> Vec<PathBuf> {
        let mut folders = self.folders();
        let Some(file) = file else { return folders };
        match folders.iter().position(|folder| file.starts_with(folder)) {
            // What several folders call the same is the one that the person is in.
            Some(at) => folders.swap(0, at),
            None => folders = own_folder(file).into_iter().collect(),
        }
        folders
    }

    /// Texts of all open documents that are in files.
    fn buffers(&self) -> HashMap<PathBuf, Read> {
        // Texts are made after the documents are let go: somebody may be typing.
        let snapshots: Vec<_> = self
            .documents
            .iter()
            .filter_map(|open| Some((path_of(open.key())?, open.document.snapshot()?)))
            .collect();
        let fits = snapshots.into_iter().filter(|(_, snapshot)| !snapshot.too_large());
        let read = fits.map(|(path, snapshot)| {
            let version = Some(snapshot.version);
            (path, Read { text: snapshot.rope.to_string(), version })
        });
        read.collect()
    }
}
