//! Folders and files that are the user's alone: 0700 and 0600 where there are such modes.
//!
//! In: a path. Out: the folder, made and closed to others; a file to append to. Refuses: a link, or
//! anything else that has a folder's or file's name.

pub mod lines;
pub mod records;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder with those above it, and closes it to everybody else.
///
/// # Errors
/// When it cannot be made, or something that is no folder has its name.
#[cfg(unix)]
pub fn folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let about = fs::symlink_metadata(path)?;
    if !about.is_dir() {
        return Err(io::Error::other(format!("{} is not a folder", path.display())));
    }
    if about.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Makes a folder with those above it. Where there are no modes, a user's folders are his own.
///
/// # Errors
/// When it cannot be made.
#[cfg(not(unix))]
pub fn folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens a file to read and to append to, and makes it where there is none. A link is not followed.
///
/// # Errors
/// When it cannot be opened, or something that is no file has its name.
pub fn file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    open(path, options)
}

/// Opens an empty file to write, in the place of what was there. A link is not followed.
///
/// # Errors
/// When it cannot be opened, or something that is no file has its name.
pub fn new_file(path: &Path) -> io::Result<File> {
    let file = file(path)?;
    file.set_len(0)?;
    Ok(file)
}

/// Opens a file that is there, to read. A link is not followed.
///
/// # Errors
/// When it is not there or cannot be opened, or something that is no file has its name.
pub fn file_to_read(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    open(path, options)
}

fn open(path: &Path, mut options: OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A pipe in its place would be waited for.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits() as i32);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("{} is not a file", path.display())));
    }
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_is_made_is_the_users_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        folder(&path).unwrap();
        file(&path.join("f")).unwrap();
        assert_eq!((mode(&path), mode(&path.join("f"))), (0o700, 0o600));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn links_and_other_things_in_its_place_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = home.path().join("elsewhere");
        let link = home.path().join("link");
        symlink(&elsewhere, &link).unwrap();
        assert!(file(&link).is_err() && folder(&link).is_err() && new_file(&link).is_err());
        assert!(!elsewhere.exists());
        fs::write(&elsewhere, "x").unwrap();
        assert!(file_to_read(&link).is_err());
        assert!(file_to_read(&elsewhere).is_ok());
        assert!(file(home.path()).is_err() && folder(&elsewhere).is_err());
        assert!(file_to_read(&home.path().join("none")).is_err());
    }
}
