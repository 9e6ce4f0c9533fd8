//! Whether a path is in the workspace, and really there.
//!
//! In: the folders of the workspace, and an absolute path. Out: the folder it is in and its name there.
//! Refuses: everything outside, `..`, and a way through a link, which may lead outside.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// A path in one of the folders.
#[derive(Clone, Debug, PartialEq)]
pub struct Inside {
    pub folder: PathBuf,
    /// From the folder on; not empty, names only.
    pub relative: PathBuf,
}

/// Why a path is not one.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Outside {
    #[error("it is not in a folder of the workspace")]
    Elsewhere,
    #[error("its path has `..` in it")]
    Upwards,
    #[error("`{0}` is a link, which may lead out of the workspace")]
    Link(String),
    #[error("`{0}` cannot be looked at: {1}")]
    Unseen(String, std::io::ErrorKind),
}

/// The innermost folder that a path is in. What does not exist yet can be inside.
pub fn inside(folders: &[PathBuf], path: &Path) -> Result<Inside, Outside> {
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(Outside::Upwards);
    }
    let resolved = folders.iter().filter_map(|folder| fs::canonicalize(folder).ok());
    let all: Vec<PathBuf> = folders.iter().cloned().chain(resolved).collect();
    let below = |folder: &&PathBuf| path.starts_with(folder) && path != folder.as_path();
    let innermost = all.iter().filter(below).max_by_key(|folder| folder.components().count());
    let folder = innermost.ok_or(Outside::Elsewhere)?.clone();
    let relative = path.strip_prefix(&folder).map_err(|_| Outside::Elsewhere)?.to_owned();
    let mut way = folder.clone();
    for part in relative.components() {
        way.push(part);
        let name = || part.as_os_str().to_string_lossy().into_owned();
        match fs::symlink_metadata(&way) {
            Ok(about) if about.file_type().is_symlink() => return Err(Outside::Link(name())),
            Ok(_) => {}
            // Nothing behind it exists either.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(error) => return Err(Outside::Unseen(name(), error.kind())),
        }
    }
    Ok(Inside { folder, relative })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_folder_is_inside_whether_it_exists_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let found = inside(&[folder.path().to_owned()], &folder.path().join("new/a.rs")).unwrap();
        assert_eq!(found.relative, Path::new("new/a.rs"));
    }

    #[test]
    fn the_folder_itself_its_neighbours_and_ways_up_are_not() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a");
        fs::create_dir(&folder).unwrap();
        let check = |path: &str| inside(std::slice::from_ref(&folder), &outer.path().join(path));
        assert_eq!(check("a"), Err(Outside::Elsewhere));
        assert_eq!(check("ab/c"), Err(Outside::Elsewhere));
        assert_eq!(check("a/../b"), Err(Outside::Upwards));
        assert_eq!(inside(&[folder], Path::new("a/b")), Err(Outside::Elsewhere));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_refused_wherever_it_leads() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        fs::write(folder.path().join("real"), "").unwrap();
        for (name, to) in [("l", "/etc"), ("dangling", "nowhere"), ("m", "real")] {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
            let link = Err(Outside::Link(name.to_owned()));
            assert_eq!(inside(&folders, &folder.path().join(name)), link);
        }
        assert!(inside(&folders, &folder.path().join("l/passwd")).is_err());
    }
}
