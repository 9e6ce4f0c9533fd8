//! The journal's file: lines appended, by several servers at once.
//!
//! In: whole lines. Out: the file, private to the user (0600 in a 0700 folder), and one older file
//! when it has grown to [`MOST_BYTES`]. Each batch of lines is one write at the end of the file, so
//! that lines of two servers do not mix. Refuses: to write where a link or a folder has the file's
//! name. A line that was cut (by a full disk) costs itself alone: the next batch starts a new line. Who
//! looks while another server writes may see half of its line and do so too: a blank line, which
//! readers pass over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

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
    pub fn append(&self, lines: &str) -> io::Result<()> {
        make_private(&self.folder)?;
        // Opened anew each time: another server may have put the file aside, a person removed it.
        let path = self.folder.join(NAME);
        let mut file = open(&path)?;
        if file.metadata()?.len() + lines.len() as u64 > self.most_bytes {
            self.put_aside(&file, lines.len() as u64)?;
            file = open(&path)?;
        }
        let cut = !ends_with_a_line(&mut file)?;
        let start = if cut { "\n" } else { "" };
        file.write_all(format!("{start}{lines}").as_bytes())
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

fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("{} is not a file", path.display())));
    }
    Ok(file)
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let about = fs::symlink_metadata(folder)?;
    if !about.is_dir() {
        return Err(io::Error::other(format!("{} is not a folder", folder.display())));
    }
    if about.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
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
        let other = open(&home.path().join(NAME)).unwrap();
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
