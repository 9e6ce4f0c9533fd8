//! Where an edit may go.
//!
//! In: the folders of the workspace, and a path as Claude wrote it. Out: a [`Place`]. Refuses: what is
//! outside the workspace, behind a link, in the history of a version control system, not a plain file,
//! or a name that some system reads otherwise than it looks. What some program runs or obeys needs an
//! explicit yes: `needs_yes.gitignore`.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::ask::privacy::inside::inside;
use crate::ask::privacy::visible;

const NEEDS_YES: &str = include_str!("needs_yes.gitignore");
/// What no edit touches, with or without a yes; and `git~1`, as Windows may call it.
const HISTORY: [&str; 5] = [".git", ".hg", ".svn", ".jj", "git~1"];
/// Names that Windows reads as devices, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// Of a path, and of a name in it, bytes: what file systems take.
const PATH: usize = 1024;
const NAME: usize = 255;

/// Whether an edit may go to a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Fine(PathBuf),
    /// After an explicit yes of a person, who is told why.
    NeedsYes(PathBuf, String),
    /// Why not, without a point at its end.
    Refused(String),
}

/// Judges a path by the workspace's name of it, or absolute. Where there are several folders, the first
/// that has it counts. Look again when the edit is applied: what is on the disk may change.
pub fn place(folders: &[PathBuf], path: &str) -> Place {
    match checked(folders, path, cfg!(windows)) {
        Ok(place) => place,
        Err(why) => Place::Refused(why),
    }
}

fn checked(folders: &[PathBuf], path: &str, windows: bool) -> Result<Place, String> {
    let slashed = if windows { path.replace('\\', "/") } else { path.to_owned() };
    let path = slashed.as_str();
    is_plain(path, windows)?;
    let absolute = absolute(folders, Path::new(path));
    let at = inside(folders, &absolute).map_err(|why| why.to_string())?;
    let names = at.relative.components().map(|part| plain(&part.as_os_str().to_string_lossy()));
    if names.clone().any(|name| HISTORY.contains(&name.as_str())) {
        return Err("it is in the folder of a version control system".to_owned());
    }
    match fs::symlink_metadata(&absolute) {
        Ok(about) if about.is_dir() => return Err("it is a folder".to_owned()),
        Ok(about) if !about.is_file() => return Err("it is not a plain file".to_owned()),
        Ok(about) if about.permissions().readonly() => return Err("it is read-only".to_owned()),
        _ => {}
    }
    let relative: PathBuf = names.collect();
    let on_the_way = relative.ancestors().filter(|part| !part.as_os_str().is_empty());
    let mut on_the_way = on_the_way.enumerate();
    Ok(match on_the_way.any(|(depth, part)| needs_yes().matched(part, depth > 0).is_ignore()) {
        true => Place::NeedsYes(
            absolute,
            "a program runs or obeys what is in it, without a further question".to_owned(),
        ),
        false => Place::Fine(absolute),
    })
}

/// Whether a path reads the same everywhere.
fn is_plain(path: &str, windows: bool) -> Result<(), String> {
    let refuse = |why: &str| Err(why.to_owned());
    if path.is_empty() || path.len() > PATH {
        return refuse("its path is empty or too long");
    }
    if path.chars().any(char::is_control) || visible(path).1 > 0 {
        return refuse("its path has characters that one does not see");
    }
    if path.contains("](") {
        return refuse("its path reads like a link");
    }
    if path.contains('\\') {
        return refuse("its path has a backslash: write `/`");
    }
    let absolute = path.starts_with('/') || windows && path.get(1..3) == Some(":/");
    for name in path.split('/').skip(usize::from(absolute)) {
        let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
        let numbered = ["com", "lpt"].iter().any(|port| {
            stem.strip_prefix(port).is_some_and(|rest| {
                rest.chars().count() == 1 && !rest.contains(char::is_alphabetic)
            })
        });
        if name.is_empty() || name == "." {
            return refuse("its path has an empty name in it");
        }
        if name == ".." {
            return refuse("its path has `..` in it");
        }
        if name.len() > NAME {
            return refuse("a name in its path is too long");
        }
        if windows && (DEVICES.contains(&stem.as_str()) || numbered) {
            return refuse("its name is that of a device");
        }
        if windows
            && (name.ends_with(['.', ' ']) || name.contains([':', '*', '?', '"', '<', '>', '|']))
        {
            return refuse("its name means another one on Windows");
        }
    }
    Ok(())
}

/// The first folder that has it, or its parents; else the first of all.
fn absolute(folders: &[PathBuf], path: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    let first = path.components().next().unwrap_or(Component::CurDir);
    let has =
        |path: &Path| folders.iter().find(|folder| fs::symlink_metadata(folder.join(path)).is_ok());
    let folder = has(path).or_else(|| has(Path::new(&first))).or(folders.first());
    folder.map_or(path.to_owned(), |folder| folder.join(path))
}

/// A name as a file system that is not exact may read it.
fn plain(name: &str) -> String {
    visible(name).0.trim_end_matches(['.', ' ']).to_lowercase()
}

fn needs_yes() -> &'static Gitignore {
    static NEEDED: OnceLock<Gitignore> = OnceLock::new();
    NEEDED.get_or_init(|| {
        let mut builder = GitignoreBuilder::new("");
        // Neither can fail: the lines are ours, and a test looks for each.
        let _ = builder.case_insensitive(true);
        for line in NEEDS_YES.lines() {
            let _ = builder.add_line(None, line);
        }
        builder.build().unwrap_or_else(|_| Gitignore::empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/a.rs"), "").unwrap();
        let folders = vec![folder.path().to_owned()];
        (folder, folders)
    }

    #[test]
    fn source_in_the_workspace_is_fine_whether_it_exists_or_not() {
        let (folder, folders) = folder();
        for path in ["src/a.rs", "src/new/b.rs", "README.md", "src/my file.py", "tests/data.json"] {
            assert_eq!(place(&folders, path), Place::Fine(folder.path().join(path)));
        }
        let absolute = folder.path().join("src/a.rs");
        assert_eq!(place(&folders, &absolute.to_string_lossy()), Place::Fine(absolute));
    }

    #[test]
    fn what_programs_run_or_obey_needs_a_yes() {
        let (_folder, folders) = folder();
        for path in [
            ".vscode/settings.json",
            ".idea/a.xml",
            ".zed/tasks.json",
            ".helix/languages.toml",
            ".nvim.lua",
            ".nvimrc",
            ".github/workflows/ci.yml",
            ".GitHub/x",
            ".gitlab-ci.yml",
            ".ci/release",
            "Jenkinsfile",
            "ci/jenkinsfile",
            ".circleci/config.yml",
            "build.rs",
            "crates/a/build.rs",
            "Makefile",
            "setup.py",
            "package.json",
            "Dockerfile",
            ".cargo/config.toml",
            ".bashrc",
            ".profile",
            "CLAUDE.md",
            "docs/AGENTS.md",
            ".cursorrules",
            ".cursor/rules/a.mdc",
            "CLAUDE.local.md",
            "hooks/pre-commit",
            ".gitattributes",
            ".gitmodules",
            ".envrc",
            "vite.config.ts",
            "pyproject.toml",
            "Cargo.toml",
            "a.code-workspace",
        ] {
            assert!(matches!(place(&folders, path), Place::NeedsYes(..)), "{path}");
        }
    }

    #[test]
    fn what_is_outside_or_history_is_refused() {
        let (_folder, folders) = folder();
        let long = "a/".repeat(600) + "b";
        for path in [
            "../x",
            "src/../../x",
            "/etc/passwd",
            ".git/config",
            ".GIT/hooks/pre-commit",
            "sub/.git/config",
            ".git./x",
            ".g\u{200c}it/config",
            "GIT~1/config",
            ".hg/hgrc",
            "",
            ".",
            "src//a.rs",
            "src/",
            "a\0b",
            "a\nb",
            "src\\a.rs",
            "src",
            &long,
            "a\u{202e}b.rs",
        ] {
            assert!(matches!(place(&folders, path), Place::Refused(_)), "{path:?}");
        }
        assert!(matches!(place(&[], "src/a.rs"), Place::Refused(_)));
    }

    #[test]
    fn names_that_windows_reads_otherwise_are_refused_there() {
        let (_folder, folders) = folder();
        for path in [
            "src/aux.rs",
            "NUL",
            "com1.txt",
            "src/lpt9",
            "src/a.rs.",
            "src/a.rs ",
            "a.rs::$DATA",
            "com¹",
        ] {
            assert!(checked(&folders, path, true).is_err(), "{path}");
        }
        assert!(
            checked(&folders, "src\\a.rs", true).is_ok()
                && checked(&folders, "src/aux.rs", false).is_ok()
        );
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let (folder, folders) = folder();
        for (name, to) in [("out", "/tmp"), ("in", "src"), ("file.rs", "src/a.rs")] {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        }
        for path in ["out/x", "in/a.rs", "in/new.rs", "file.rs"] {
            assert!(matches!(place(&folders, path), Place::Refused(_)), "{path}");
        }
    }

    #[test]
    fn a_path_is_of_the_folder_that_has_it() {
        let ((_one, mut folders), (other, more)) = (folder(), folder());
        folders.extend(more);
        fs::create_dir(other.path().join("lib")).unwrap();
        assert_eq!(place(&folders, "lib/new.rs"), Place::Fine(other.path().join("lib/new.rs")));
    }
}
