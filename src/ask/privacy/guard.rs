//! Which files may be read for a question.
//!
//! In: the folders of the workspace, and the user's own patterns. Out: a [`Verdict`] on a path, with the
//! reason as a sentence. Refuses: what is outside the workspace or behind a link; what `denied.gitignore`
//! names, which nothing overrides; what the user's patterns name; what ignore files exclude, as the
//! workspace's index sees it. A file that does not exist yet is judged by its name.

use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::hidden::visible;
use super::inside::{Inside, inside};
use crate::workspace::{IGNORE_FILES, rules};

const DENIED: &str = include_str!("denied.gitignore");

/// Who says which files may be sent.
pub struct Guard {
    folders: Vec<PathBuf>,
    denied: Gitignore,
    /// Folders that are denied above the workspace too.
    private: Gitignore,
    never: Gitignore,
}

/// Whether a file may be sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Allowed,
    /// Why not, a sentence for the person.
    Never(String),
}

impl Guard {
    /// For the workspace's folders and the user's patterns, in the syntax of `.gitignore`. The second are
    /// warnings: a sentence for each pattern that cannot be read, which then counts for nothing.
    pub fn new(folders: &[PathBuf], never: &[String]) -> (Guard, Vec<String>) {
        let private = DENIED.lines().filter(|line| line.starts_with('.') && line.ends_with('/'));
        let (never, errors) = matcher(never.iter().map(String::as_str));
        let warning = |(pattern, error): (String, ignore::Error)| {
            format!(
                "The pattern `{pattern}` of what is never sent cannot be read ({error}): correct it in the settings."
            )
        };
        let guard = Guard {
            folders: folders.to_vec(),
            denied: matcher(DENIED.lines()).0,
            private: matcher(private).0,
            never,
        };
        (guard, errors.into_iter().map(warning).collect())
    }

    /// Whether a file may be sent, by its absolute path. Looks at the disk: some hundred microseconds.
    pub fn verdict(&self, path: &Path) -> Verdict {
        let never =
            |why: String| Verdict::Never(format!("`{}` is not sent: {why}.", path.display()));
        let place = match inside(&self.folders, path) {
            Ok(place) => place,
            Err(why) => return never(why.to_string()),
        };
        let above = place.folder.components().filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(plain(Path::new(name))),
            _ => None,
        });
        if above.into_iter().any(|name| is_excluded(&self.private, &name.join("file"))) {
            return never("the workspace is in a folder for keys or settings".to_owned());
        }
        let name = plain(&place.relative);
        if name.as_os_str().is_empty() || is_excluded(&self.denied, &name) {
            return never("files of this name often hold keys or passwords".to_owned());
        }
        if is_excluded(&self.never, &name) || is_excluded(&self.never, &place.relative) {
            return never("your settings exclude it".to_owned());
        }
        match is_ignored(&place, path) {
            true => {
                never("an ignore file excludes it (.gitignore, .aiignore or the like)".to_owned())
            }
            false => Verdict::Allowed,
        }
    }

    /// Whether a file may be sent.
    pub fn allows(&self, path: &Path) -> bool {
        self.verdict(path) == Verdict::Allowed
    }
}

/// Patterns that match names from a folder on, in any case; those that cannot be read.
fn matcher<'a>(lines: impl Iterator<Item = &'a str>) -> (Gitignore, Vec<(String, ignore::Error)>) {
    let mut builder = GitignoreBuilder::new("");
    let mut errors = Vec::new();
    // Says nothing of use: it cannot fail.
    let _ = builder.case_insensitive(true);
    for line in lines {
        if let Err(error) = builder.add_line(None, line) {
            errors.push((line.to_owned(), error));
        }
    }
    (builder.build().unwrap_or_else(|_| Gitignore::empty()), errors)
}

/// Whether a file's name, or that of a folder it is in, is excluded. No rule for the file itself undoes one
/// for its folder, as in git.
fn is_excluded(patterns: &Gitignore, relative: &Path) -> bool {
    let mut names = relative.ancestors().filter(|name| !name.as_os_str().is_empty());
    let file = names.next().is_some_and(|name| patterns.matched(name, false).is_ignore());
    file || names.any(|folder| patterns.matched(folder, true).is_ignore())
}

/// A name as a file system might read it: without characters that some leave out, ends that Windows cuts
/// off, and streams.
fn plain(relative: &Path) -> PathBuf {
    let part = |part: std::path::Component| {
        let name = visible(&part.as_os_str().to_string_lossy()).0;
        let name = name.split(':').next().unwrap_or_default();
        name.trim_end_matches(['.', ' ']).to_owned()
    };
    relative.components().map(part).collect()
}

/// Whether ignore files exclude a file of the workspace.
fn is_ignored(place: &Inside, path: &Path) -> bool {
    if path.exists() {
        return !is_come_upon(&place.folder, path);
    }
    // The nearest folder that exists is judged by the walk, the rest of the way by its name.
    let exists = path.ancestors().skip(1).find(|folder| folder.exists());
    let exists = exists.unwrap_or(&place.folder);
    !is_come_upon(&place.folder, exists) || is_excluded_by_name(&place.folder, path)
}

/// Would reading the folder come upon this?
fn is_come_upon(folder: &Path, path: &Path) -> bool {
    let wanted = path.to_owned();
    let mut walk = rules(folder);
    // What is hidden was judged before; how much of a long file is sent is not decided here.
    walk.hidden(false).max_filesize(None);
    let walk = walk.filter_entry(move |entry| wanted.starts_with(entry.path())).build();
    walk.flatten().any(|entry| entry.path() == path)
}

/// What the ignore files on the way to a file say of its name. For each kind of file, the innermost one
/// decides; one kind does not undo what another excludes.
fn is_excluded_by_name(folder: &Path, path: &Path) -> bool {
    let mut kinds: Vec<String> =
        [".gitignore", ".ignore", ".git/info/exclude"].map(str::to_owned).into();
    kinds.extend(IGNORE_FILES.map(str::to_owned));
    let excluded = |kind: &String| {
        let files: Vec<Gitignore> =
            path.ancestors().skip(1).map(|dir| of_file(dir, &dir.join(kind))).collect();
        excludes(folder, path, &files)
    };
    let (global, _) = GitignoreBuilder::new(folder).build_global();
    kinds.iter().any(excluded) || excludes(folder, path, &[global])
}

/// Whether a file, or a folder on the way to it, is excluded by the first of the files that knows it.
fn excludes(folder: &Path, path: &Path, files: &[Gitignore]) -> bool {
    let on_the_way = path.ancestors().take_while(|part| *part != folder);
    on_the_way.enumerate().any(|(depth, part)| {
        let knows = |file: &Gitignore| match part.starts_with(file.path()) {
            true => file.matched(part, depth > 0).map(|glob| glob.is_whitelist()),
            false => Match::None,
        };
        files
            .iter()
            .map(knows)
            .find(|found| !found.is_none())
            .is_some_and(|found| found.is_ignore())
    })
}

/// The rules of an ignore file, none where there is none.
fn of_file(folder: &Path, file: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    // A line that cannot be read is as good as not there, as for the walk.
    let _ = builder.add(file);
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Tree(tempfile::TempDir, Guard);

    fn tree(files: &[(&str, &str)], never: &[&str]) -> Tree {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let never: Vec<String> = never.iter().map(|&pattern| pattern.to_owned()).collect();
        let (guard, warnings) = Guard::new(&[folder.path().to_owned()], &never);
        assert!(warnings.is_empty(), "{warnings:?}");
        Tree(folder, guard)
    }

    impl Tree {
        fn allows(&self, name: &str) -> bool {
            self.1.allows(&self.0.path().join(name))
        }
    }

    #[test]
    fn ignored_files_are_never_sent_whether_they_exist_or_not() {
        let tree = tree(
            &[
                (".gitignore", "built/\n*.log\n!keep.log\n"),
                ("src/.aiignore", "inner.rs\n"),
                (".cursorignore", "c.rs\n"),
                (".aiderignore", "d.rs\n"),
                (".continueignore", "e.rs\n"),
                (".copilotignore", "f.rs\n"),
                (".git/info/exclude", "g.rs\n"),
                ("built/a.rs", ""),
                ("src/inner.rs", ""),
                ("src/a.rs", ""),
                ("a.log", ""),
                ("c.rs", ""),
                ("d.rs", ""),
                ("e.rs", ""),
                ("f.rs", ""),
                ("g.rs", ""),
            ],
            &[],
        );
        for name in [
            "built/a.rs",
            "built/new.rs",
            "built/x/new.rs",
            "src/inner.rs",
            "a.log",
            "new.log",
            "new/b.log",
            "c.rs",
            "new/c.rs",
            "src/d.rs",
            "e.rs",
            "f.rs",
            "src/f.rs",
            "g.rs",
        ] {
            assert!(!tree.allows(name), "{name}");
        }
        for name in ["src/a.rs", "src/new.rs", "new/deep/b.rs", "keep.log", "inner.rs"] {
            assert!(tree.allows(name), "{name}");
        }
    }

    #[test]
    fn key_and_env_files_are_never_sent_whatever_ignore_files_say() {
        let tree = tree(
            &[(".gitignore", "!.env\n!*.pem\n"), (".env", "A=1"), ("a.pem", "")],
            &["!.env", "!a.pem"],
        );
        for name in [
            ".env",
            ".env.local",
            ".ENV",
            "web/.env.production",
            "prod.env",
            ".envrc",
            "a.pem",
            "deep/B.KEY",
            "id_rsa",
            "ID_ED25519",
            "x.p12",
            "x.pfx",
            "k.jks",
            ".netrc",
            ".pgpass",
            ".npmrc",
            ".pypirc",
            ".htpasswd",
            "credentials",
            "Secrets.yaml",
            "secrets.toml",
            "a.tfstate",
            "a.tfstate.backup",
            "p.kdbx",
            ".ssh/config",
            ".aws/config",
            "x/.gnupg/a",
            ".kube/config",
            ".git/config",
            ".unknown",
            ".env.",
            ".env ",
            ".e\u{200b}nv",
            "a.pem::$DATA",
            ".ssh/.env.example",
        ] {
            assert!(!tree.allows(name), "{name}");
        }
        for name in [
            ".env.example",
            ".env.sample",
            "id_rsa.pub",
            "src/environment.rs",
            "keys.rs",
            "src/secrets.rs",
            ".github/workflows/ci.yml",
            ".cargo/config.toml",
            "monkey.rs",
            ".gitignore",
        ] {
            assert!(tree.allows(name), "{name}");
        }
    }

    #[test]
    fn the_users_patterns_exclude_and_undo_nothing() {
        let tree = tree(&[("a/b.rs", ""), ("c.rs", "")], &["a/", "*.sql", "!.env"]);
        assert!(!tree.allows("a/b.rs") && !tree.allows("x/y.sql") && !tree.allows(".env"));
        assert!(tree.allows("c.rs"));
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_named() {
        let (_, warnings) = Guard::new(&[], &["[z-a]".to_owned(), "b".to_owned()]);
        assert!(warnings.len() == 1 && warnings[0].contains("`[z-a]`"), "{warnings:?}");
    }

    #[test]
    fn nothing_outside_the_folders_is_sent() {
        let tree = tree(&[("a/b.rs", "")], &[]);
        assert!(!tree.1.allows(Path::new("/etc/hosts")) && !tree.allows("../x.rs"));
        assert!(!tree.allows("a/../a/b.rs"));
    }

    #[test]
    fn a_workspace_in_a_folder_for_keys_is_never_sent() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join(".ssh/inner");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.rs"), "").unwrap();
        assert!(!Guard::new(std::slice::from_ref(&folder), &[]).0.allows(&folder.join("a.rs")));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_behind_a_link_is_sent() {
        let tree = tree(&[("a/b.rs", "")], &[]);
        std::os::unix::fs::symlink("a", tree.0.path().join("l")).unwrap();
        assert!(!tree.allows("l/b.rs") && !tree.allows("l/new.rs"));
    }
}
