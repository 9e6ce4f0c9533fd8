//! Where servers and the engine's process meet: a socket in a directory that only the user can
//! enter, named after everything that must be equal for one engine to serve another server: the
//! build, the model file and how it is run.
//!
//! In: options. Out: paths. Refuses: a directory that others can enter or that is not ours.

use std::path::{Path, PathBuf};
use std::{fs, io};

use interprocess::local_socket::{GenericFilePath, Name, ToFsName};
use sha2::{Digest, Sha256};

use super::llama::Options;
use super::wire;

/// The meeting place for one kind of engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendezvous {
    folder: PathBuf,
    key: String,
}

/// Why there is no meeting place.
#[derive(Debug, thiserror::Error)]
pub enum RendezvousError {
    /// The folder cannot be made or read.
    #[error(
        "cannot use {path} for the engine's socket: {error}; set TANDEM_RUNTIME_DIR to a folder of yours"
    )]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Somebody else could listen in.
    #[error(
        "{path} is not private to you, so the engine's socket must not be there; remove it or set TANDEM_RUNTIME_DIR"
    )]
    NotPrivate {
        /// Which folder.
        path: PathBuf,
    },
}

impl Rendezvous {
    /// For `program` running a model with `options`.
    ///
    /// # Errors
    /// When there is no folder that only this user can enter.
    pub fn new(program: &Path, options: &Options) -> Result<Rendezvous, RendezvousError> {
        Rendezvous::within(folder(), program, options)
    }

    /// The same in this folder, whatever the environment says.
    ///
    /// # Errors
    /// When others can enter the folder.
    pub fn within(
        folder: PathBuf,
        program: &Path,
        options: &Options,
    ) -> Result<Rendezvous, RendezvousError> {
        make_private(&folder)?;
        let mut hash = Sha256::new();
        hash.update(format!("{} {options:?}", wire::version()));
        let draft = options.draft.as_ref().map(|draft| draft.model.as_path());
        for file in [program, &options.model].into_iter().chain(draft) {
            // A file that cannot be read has no stamp; the engine itself will say what is wrong.
            let stamp = fs::metadata(file).and_then(|m| Ok((m.len(), m.modified()?))).ok();
            hash.update(format!("{} {stamp:?}", file.display()));
        }
        let key = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Rendezvous { folder, key })
    }

    /// The one that a server has named on the command line, `FOLDER/KEY`.
    ///
    /// # Errors
    /// When the folder is not private.
    pub fn from_path(path: &Path) -> Result<Rendezvous, RendezvousError> {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        make_private(&folder)?;
        let key = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Rendezvous { folder, key })
    }

    /// `FOLDER/KEY`, for the command line.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.key)
    }

    /// The socket's name for this system.
    ///
    /// # Errors
    /// When the path is too long for a socket.
    pub fn socket(&self) -> io::Result<Name<'static>> {
        #[cfg(windows)]
        let path = PathBuf::from(format!(r"\\.\pipe\tandem-{}", self.key));
        #[cfg(not(windows))]
        let path = self.socket_file();
        path.to_fs_name::<GenericFilePath>()
    }

    /// The socket's file, where sockets have one.
    pub fn socket_file(&self) -> PathBuf {
        self.folder.join(format!("{}.sock", self.key))
    }

    /// Held by the engine that serves here, for as long as it lives; it holds the number of its process.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.key))
    }

    /// What the engine says on its standard error.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.key))
    }
}

/// `$TANDEM_RUNTIME_DIR`, else `tandem` in the user's runtime directory, else a folder of the
/// user's own among the temporary files.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("TANDEM_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        return folder.into();
    }
    if let Some(folder) = std::env::var_os("XDG_RUNTIME_DIR").filter(|f| Path::new(f).is_dir()) {
        return Path::new(&folder).join("tandem");
    }
    #[cfg(unix)]
    let user = rustix::process::getuid().as_raw().to_string();
    #[cfg(not(unix))]
    let user = std::env::var("USERNAME").unwrap_or_default();
    std::env::temp_dir().join(format!("tandem-{user}"))
}

#[cfg(unix)]
fn make_private(folder: &Path) -> Result<(), RendezvousError> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    let failed = |error| RendezvousError::Folder { path: folder.to_path_buf(), error };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = fs::symlink_metadata(folder).map_err(failed)?;
    let ours = metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
    if !ours {
        return Err(RendezvousError::NotPrivate { path: folder.to_path_buf() });
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> Result<(), RendezvousError> {
    fs::create_dir_all(folder)
        .map_err(|error| RendezvousError::Folder { path: folder.to_path_buf(), error })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn the_folder_is_private_to_the_user() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("run/tandem");
        make_private(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        make_private(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_link_to_elsewhere_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let link = scratch.path().join("link");
        symlink("/", &link).unwrap();
        assert!(matches!(make_private(&link), Err(RendezvousError::NotPrivate { .. })));
    }

    #[test]
    fn another_model_or_setting_meets_elsewhere() {
        let scratch = tempfile::tempdir().unwrap();
        let model = scratch.path().join("model.gguf");
        fs::write(&model, "one").unwrap();
        let options = Options::new(&model);
        let key = |options: &Options| Rendezvous::new(Path::new("/bin/sh"), options).unwrap().key;
        let first = key(&options);
        assert_eq!(first, key(&options));
        assert_ne!(first, key(&Options { threads: 7, ..options.clone() }));
        fs::write(&model, "another").unwrap();
        assert_ne!(first, key(&options));
    }
}
