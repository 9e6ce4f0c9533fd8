//! The journal's file: lines appended, by several servers at once.
//!
//! In: whole lines. Out: the file, private to the user (0600 in a 0700 folder), and one older file
//! when it has grown to [`MOST_BYTES`]. Each batch of lines is one write at the end of the file, so
//! that lines of two servers do not mix. Refuses: to write where a link or a folder has the file's
//! name. A line that was cut (by a full disk) costs itself alone: the next batch starts a new line. Who
//! looks while another server writes may see half of its line and do so too: a blank line, which
//! readers pass over.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::private::{self, lines};

/// At this size a file becomes the older one. A record is some 180 bytes, a suggestion two to four of
/// them: 16 MB are 20,000 to 40,000 suggestions, months of most people's use, and reading both files
/// takes a fraction of a second.
pub const MOST_BYTES: u64 = 16 << 20;

/// The file's name.
pub const NAME: &str = "journal.jsonl";
/// The older file's name.
pub const OLDER: &str = "journal.old.jsonl";

/// Where lines go.
#[derive(Clone, Debug)]
pub struct Target {
    folder: PathBuf,
    most_bytes: u64,
}

impl Target {
    /// A folder, which is made when there is something to write.
    pub fn new(folder: &Path) -> Target {
        Target { folder: folder.to_owned(), most_bytes: MOST_BYTES }
    }

    /// Appends lines, each with its line break.
    ///
    /// # Errors
    /// When the folder or the file cannot be written. Some lines may be lost then.
    pub fn append(&self, new: &str) -> io::Result<()> {
        private::folder(&self.folder)?;
        // Opened anew each time: another server may have put the file aside, a person removed it.
        let path = self.folder.join(NAME);
        let mut file = private::file(&path)?;
        if file.metadata()?.len() + new.len() as u64 > self.most_bytes {
            self.put_aside(&file, new.len() as u64)?;
            file = private::file(&path)?;
        }
        lines::append(&mut file, new)
    }

    fn put_aside(&self, file: &File, more: u64) -> io::Result<()> {
        match file.try_lock() {
            Ok(()) => {}
            // Another server is at it.
            Err(fs::TryLockError::WouldBlock) => return Ok(()),
            // No locks there: then at worst two do it at once, and the older file is short.
            Err(fs::TryLockError::Error(_)) => {}
        }
        let path = self.folder.join(NAME);
        // Another may have been before us: then the name is a new file's.
        if fs::metadata(&path)?.len() + more > self.most_bytes {
            fs::rename(&path, self.folder.join(OLDER))?;
        }
        Ok(())
    }
}

/// Removes both files: how many, and their bytes. Servers that are running begin a new one.
///
/// # Errors
/// When one is there and cannot be removed.
pub fn clear(folder: &Path) -> io::Result<(usize, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for name in [OLDER, NAME] {
        let path = folder.join(name);
        // Of a link, the link.
        let size = fs::symlink_metadata(&path).map_or(0, |about| about.len());
        match fs::remove_file(&path) {
            Ok(()) => (files, bytes) = (files + 1, bytes + size),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok((files, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_the_users_alone() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/journal");
        Target::new(&folder).append("x\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(NAME))), (0o700, 0o600));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        Target::new(&folder).append("y\n").unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn a_full_file_is_put_aside_and_one_older_one_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let target = Target { most_bytes: 6, ..Target::new(home.path()) };
        for line in ["11\n", "22\n", "33\n", "44\n", "55\n"] {
            target.append(line).unwrap();
        }
        assert_eq!(lines(&home.path().join(OLDER)), ["33", "44"]);
        assert_eq!(lines(&home.path().join(NAME)), ["55"]);
    }

    #[test]
    fn while_another_server_puts_the_file_aside_nothing_is_lost() {
        let home = tempfile::tempdir().unwrap();
        let target = Target { most_bytes: 4, ..Target::new(home.path()) };
        target.append("11\n").unwrap();
        let other = private::file(&home.path().join(NAME)).unwrap();
        other.lock().unwrap();
        target.append("22\n").unwrap();
        assert_eq!(lines(&home.path().join(NAME)), ["11", "22"]);
        drop(other);
        target.append("33\n").unwrap();
        assert_eq!(lines(&home.path().join(OLDER)), ["11", "22"]);
    }

    #[test]
    fn behind_a_cut_line_comes_a_new_one() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(NAME), "whole\ncut").unwrap();
        Target::new(home.path()).append("next\n").unwrap();
        assert_eq!(lines(&home.path().join(NAME)), ["whole", "cut", "next"]);
    }

    #[test]
    fn several_servers_append_at_once_and_no_line_is_broken() {
        let home = tempfile::tempdir().unwrap();
        let target = Target { most_bytes: 20_000, ..Target::new(home.path()) };
        std::thread::scope(|scope| {
            for server in 0..4 {
                let target = &target;
                scope.spawn(move || {
                    for line in 0..100 {
                        target.append(&format!("{server} {line:03} {}\n", "x".repeat(32))).unwrap();
                    }
                });
            }
        });
        let mut all = lines(&home.path().join(NAME));
        if let Ok(older) = fs::read_to_string(home.path().join(OLDER)) {
            all.extend(older.lines().map(str::to_owned));
        }
        // Where one looked while another wrote.
        all.retain(|line| !line.is_empty());
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 400);
        assert!(all.iter().all(|line| line.len() == 38), "a broken line");
    }

    #[test]
    fn clearing_removes_both_files_and_a_server_goes_on() {
        let home = tempfile::tempdir().unwrap();
        let target = Target { most_bytes: 4, ..Target::new(home.path()) };
        ["11\n", "22\n"].iter().for_each(|line| target.append(line).unwrap());
        fs::write(home.path().join("mine.txt"), "x").unwrap();
        assert_eq!(clear(home.path()).unwrap(), (2, 6));
        assert_eq!(clear(home.path()).unwrap(), (0, 0));
        target.append("33\n").unwrap();
        assert_eq!(lines(&home.path().join(NAME)), ["33"]);
        assert!(home.path().join("mine.txt").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("elsewhere");
        std::os::unix::fs::symlink(&target, home.path().join(NAME)).unwrap();
        assert!(Target::new(home.path()).append("x\n").is_err());
        assert!(!target.exists());
    }
}
