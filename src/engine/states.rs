//! KV states on disk: what a model made of a document, kept from one day to the next.
//!
//! In: a sequence's tokens and its keys and values. Out: the saved sequence that shares the longest
//! beginning with a prompt. Files are private to the user (0600 in a 0700 folder), and all of them
//! together stay under a cap; the oldest go first. Refuses: a file that is damaged, or of another
//! model or build; a damaged one is removed. Nothing here fails loudly: without a saved state a
//! document is evaluated again, that is all.
//!
//! A [`file`] holds the tokens of the user's text, so `tandem cache clear` removes all of it.

mod file;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub use self::file::Saved;
use self::file::{EXTENSION, UNFINISHED};
use super::costs;
use super::healing::Token;
use crate::private;

/// One that is older was left by an engine that was killed.
const OLDEST_UNFINISHED: Duration = Duration::from_secs(600);
/// Where states are kept, and how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateOptions {
    /// The folder, made when it is not there.
    pub folder: PathBuf,
    /// Bytes at most, in all files together.
    pub cap: u64,
}

/// The saved states of one model.
pub struct States {
    options: StateOptions,
    model: String,
    entries: Vec<Entry>,
}

struct Entry {
    path: PathBuf,
    tokens: Vec<Token>,
    under: String,
}

impl Entry {
    /// How many tokens it shares with a prompt's beginning, under these adapters.
    fn shared(&self, base: &[Token], under: &str) -> usize {
        if self.under == under { common(&self.tokens, base) } else { 0 }
    }
}

/// The folder for states: `$TANDEM_CACHE_DIR`, else `tandem` in the user's cache folder.
pub fn folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    if let Some(folder) = std::env::var_os("TANDEM_CACHE_DIR").filter(|dir| !dir.is_empty()) {
        return Some(PathBuf::from(folder).join("states"));
    }
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.cache_dir().join("tandem").join("states"))
}

/// Removes all saved states, of every model: how many files and bytes.
///
/// # Errors
/// When a file cannot be removed.
pub fn clear(folder: &Path) -> io::Result<(usize, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for (path, metadata) in state_files(folder).into_iter().chain(unfinished(folder)) {
        fs::remove_file(&path)?;
        files += 1;
        bytes += metadata.len();
    }
    costs::forget(folder);
    Ok((files, bytes))
}

/// How many states there are in a folder, and their bytes.
pub fn size(folder: &Path) -> (usize, u64) {
    let files = state_files(folder);
    (files.len(), files.iter().map(|(_, metadata)| metadata.len()).sum())
}

impl States {
    /// Those in a folder that are of this model. Damaged files are removed.
    ///
    /// # Errors
    /// When the folder cannot be made or is not private.
    pub fn open(options: StateOptions, model: &str) -> io::Result<States> {
        private::folder(&options.folder)?;
        let now = SystemTime::now();
        for (path, metadata) in unfinished(&options.folder) {
            let age = metadata.modified().ok().and_then(|at| now.duration_since(at).ok());
            if age.is_some_and(|age| age > OLDEST_UNFINISHED) {
                remove(&path);
            }
        }
        let mut states = States { options, model: model.to_owned(), entries: Vec::new() };
        for (path, _) in state_files(&states.options.folder) {
            match file::look_at(&path) {
                Ok((made_by, entry)) if made_by == model => states.entries.push(entry),
                // Another model's: it counts for the cap, and that model may come back.
                Ok(_) => {}
                Err(_) => remove(&path),
            }
        }
        states.make_room(0);
        Ok(states)
    }

    /// Is a sequence that begins with these tokens saved, evaluated under these adapters?
    pub fn covers(&self, tokens: &[Token], under: &str) -> bool {
        self.entries.iter().any(|entry| entry.under == under && entry.tokens.starts_with(tokens))
    }

    /// How many tokens the best saved sequence under these adapters shares with a prompt's beginning.
    pub fn shared(&self, base: &[Token], under: &str) -> usize {
        self.entries.iter().map(|entry| entry.shared(base, under)).max().unwrap_or(0)
    }

    /// The saved sequence under these adapters that shares the longest beginning with a prompt. A file that
    /// turns out damaged is removed and the next best taken.
    pub fn take(&mut self, base: &[Token], under: &str) -> Option<Saved> {
        loop {
            let best = self.entries.iter().enumerate().filter(|(_, entry)| entry.under == under);
            let (at, _) = best.max_by_key(|(_, entry)| entry.shared(base, under))?;
            match file::read(&self.entries[at].path, &self.model, self.options.cap) {
                Ok(saved) => {
                    // Used now; the oldest go first.
                    if let Ok(file) = File::options().append(true).open(&self.entries[at].path) {
                        let _ = file.set_modified(SystemTime::now());
                    }
                    return Some(saved);
                }
                Err(error) => {
                    let entry = self.entries.swap_remove(at);
                    tracing::warn!("a saved state is not usable and goes: {error}");
                    remove(&entry.path);
                }
            }
        }
    }

    /// Saves a sequence, in place of those whose tokens are mostly its beginning. What cannot be
    /// written is left out, with a warning.
    pub fn save(&mut self, saved: &Saved) {
        let size = saved.state.len() as u64;
        if size > self.options.cap {
            return;
        }
        self.make_room(size);
        let folder = &self.options.folder;
        let path = match file::write(folder, &self.model, saved) {
            Ok(path) => path,
            Err(error) => {
                tracing::warn!("cannot save a state in {}: {error}", folder.display());
                return;
            }
        };
        let superseded = |entry: &Entry| {
            let shared = entry.shared(&saved.tokens, &saved.under);
            entry.path != path && entry.under == saved.under && shared * 4 >= entry.tokens.len() * 3
        };
        self.entries.iter().filter(|entry| superseded(entry)).for_each(|e| remove(&e.path));
        self.entries.retain(|entry| !superseded(entry) && entry.path != path);
        let (tokens, under) = (saved.tokens.clone(), saved.under.clone());
        self.entries.push(Entry { path, tokens, under });
    }

    /// Removes the files used longest ago until `bytes` more fit under the cap.
    fn make_room(&mut self, bytes: u64) {
        let mut files = state_files(&self.options.folder);
        files.sort_by_key(|(_, metadata)| metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        let mut total: u64 = files.iter().map(|(_, metadata)| metadata.len()).sum();
        for (path, metadata) in files {
            if total + bytes <= self.options.cap {
                break;
            }
            remove(&path);
            self.entries.retain(|entry| entry.path != path);
            total -= metadata.len();
        }
    }
}

fn common(a: &[Token], b: &[Token]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn state_files(folder: &Path) -> Vec<(PathBuf, fs::Metadata)> {
    files_with(folder, |path| path.extension().is_some_and(|end| end == EXTENSION))
}

/// Files that are being written, or never will be whole.
fn unfinished(folder: &Path) -> Vec<(PathBuf, fs::Metadata)> {
    let begins = |name: &OsStr| name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
    files_with(folder, |path| path.file_name().is_some_and(begins))
}

fn files_with(folder: &Path, is_wanted: impl Fn(&Path) -> bool) -> Vec<(PathBuf, fs::Metadata)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let ours = is_wanted(&entry.path());
            let metadata = entry.metadata().ok()?;
            (ours && metadata.is_file()).then(|| (entry.path(), metadata))
        })
        .collect()
}

fn remove(path: &Path) {
    // One that is gone already is as good.
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(tokens: std::ops::Range<Token>, bytes: usize) -> Saved {
        let tokens: Vec<Token> = tokens.collect();
        let mut chosen_under = vec![None; tokens.len()];
        if let Some(under) = chosen_under.last_mut() {
            *under = Some(b"re".to_vec().into());
        }
        Saved { tokens, chosen_under, state: vec![7; bytes], under: String::new() }
    }

    fn open(folder: &Path, cap: u64, model: &str) -> States {
        let options = StateOptions { folder: folder.to_owned(), cap };
        States::open(options, model).expect("a folder")
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        state_files(folder).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn a_state_is_found_again_by_the_beginning_it_shares() {
        let scratch = tempfile::tempdir().unwrap();
        let mut states = open(scratch.path(), 1 << 20, "m");
        states.save(&saved(0..100, 1_000));
        states.save(&saved(500..600, 1_000));
        let mut states = open(scratch.path(), 1 << 20, "m");
        let base: Vec<Token> = (0..80).chain(900..950).collect();
        assert_eq!(states.shared(&base, ""), 80);
        assert_eq!(states.take(&base, ""), Some(saved(0..100, 1_000)));
        assert!(states.covers(&(500..550).collect::<Vec<_>>(), ""));
        assert_eq!(open(scratch.path(), 1 << 20, "another").shared(&base, ""), 0);
    }

    #[test]
    fn a_longer_state_replaces_its_own_beginning() {
        let scratch = tempfile::tempdir().unwrap();
        let mut states = open(scratch.path(), 1 << 20, "m");
        states.save(&saved(0..100, 10));
        states.save(&saved(0..130, 10));
        assert_eq!(files(scratch.path()).len(), 1);
        assert_eq!(
            open(scratch.path(), 1 << 20, "m").shared(&(0..130).collect::<Vec<_>>(), ""),
            130
        );
    }

    #[test]
    fn the_oldest_states_go_when_the_cap_is_reached() {
        let scratch = tempfile::tempdir().unwrap();
        let mut states = open(scratch.path(), 20_000, "m");
        for start in 0..10 {
            states.save(&saved(start * 1_000..start * 1_000 + 50, 4_000));
        }
        let total: u64 = state_files(scratch.path()).iter().map(|(_, m)| m.len()).sum();
        assert!(total <= 24_000, "{total}");
        assert!(states.covers(&(9_000..9_050).collect::<Vec<_>>(), ""));
        states.save(&saved(0..50, 30_000));
        assert!(!states.covers(&(0..50).collect::<Vec<_>>(), ""), "larger than the cap");
    }

    #[test]
    fn a_damaged_file_is_never_used_and_goes() {
        for damage in [
            |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1),
            |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1,
            |bytes: &mut Vec<u8>| bytes[40] ^= 1,
            |bytes: &mut Vec<u8>| bytes.clear(),
            |bytes: &mut Vec<u8>| bytes.extend([0; 9]),
        ] {
            let scratch = tempfile::tempdir().unwrap();
            open(scratch.path(), 1 << 20, "m").save(&saved(0..100, 1_000));
            let file = files(scratch.path()).remove(0);
            let mut bytes = fs::read(&file).unwrap();
            damage(&mut bytes);
            fs::write(&file, bytes).unwrap();
            let base: Vec<Token> = (0..100).collect();
            let mut states = open(scratch.path(), 1 << 20, "m");
            // A flipped bit may have made it another model's, which is left alone.
            let another = states.entries.is_empty() && !files(scratch.path()).is_empty();
            assert_eq!(states.take(&base, ""), None);
            assert!(another || files(scratch.path()).is_empty());
        }
    }

    #[test]
    fn a_state_cut_anywhere_or_with_any_bit_changed_is_what_was_saved_or_none() {
        let scratch = tempfile::tempdir().unwrap();
        open(scratch.path(), 1 << 20, "m").save(&saved(0..6, 40));
        let file = files(scratch.path()).remove(0);
        let whole = fs::read(&file).unwrap();
        let base: Vec<Token> = (0..6).collect();
        let check = |bytes: &[u8]| {
            fs::write(&file, bytes).unwrap();
            let found = open(scratch.path(), 1 << 20, "m").take(&base, "");
            assert!(found.is_none_or(|found| found == saved(0..6, 40)));
        };
        for length in 0..whole.len() {
            check(&whole[..length]);
        }
        for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            check(&bytes);
        }
    }

    /// With holes a file of any length takes no room; memory for it would be real.
    #[test]
    fn a_length_that_no_state_has_is_not_believed() {
        let scratch = tempfile::tempdir().unwrap();
        let mut states = open(scratch.path(), 1 << 20, "m");
        states.save(&saved(0..100, 1_000));
        let path = files(scratch.path()).remove(0);
        let bytes = fs::read(&path).unwrap();
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let header = String::from_utf8(bytes[..line].to_vec()).unwrap();
        let huge: u64 = 1 << 40;
        let header = header.replace("\"bytes\":1000", &format!("\"bytes\":{huge}")) + "\n";
        fs::write(&path, &header).unwrap();
        if File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(huge + header.len() as u64)
            .is_err()
        {
            println!("skipped: this file system has no files with holes of this size");
            return;
        }
        assert_eq!(states.take(&(0..100).collect::<Vec<_>>(), ""), None);
        assert_eq!(files(scratch.path()).len(), 0);
    }

    #[test]
    fn what_a_killed_engine_left_half_written_goes() {
        let scratch = tempfile::tempdir().unwrap();
        open(scratch.path(), 1 << 20, "m");
        let (old, new) = (scratch.path().join("saving-old"), scratch.path().join("saving-new"));
        fs::write(&old, "half").unwrap();
        fs::write(&new, "half").unwrap();
        let long_ago = SystemTime::now() - 2 * OLDEST_UNFINISHED;
        File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        open(scratch.path(), 1 << 20, "m");
        assert!(!old.exists(), "nobody writes it any more");
        assert!(new.exists(), "another engine may be writing it");
        assert_eq!(clear(scratch.path()).unwrap(), (1, 4), "it holds somebody's text");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_no_half_state() {
        let scratch = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(scratch.path())
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("skipped: only root can mount a small disk");
            return;
        }
        let mut states = open(scratch.path(), 1 << 20, "m");
        states.save(&saved(0..10, 1_000));
        states.save(&saved(500..510, 200_000));
        let names = fs::read_dir(scratch.path()).unwrap().count();
        let kept = states.take(&(0..10).collect::<Vec<_>>(), "");
        let unmounted = std::process::Command::new("umount").arg(scratch.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
        assert_eq!((names, kept), (1, Some(saved(0..10, 1_000))));
    }

    #[test]
    fn a_state_counts_only_under_the_adapters_that_it_was_evaluated_under() {
        let scratch = tempfile::tempdir().unwrap();
        let mut states = open(scratch.path(), 1 << 20, "m");
        let tuned = Saved { under: "house".to_owned(), ..saved(0..100, 1_000) };
        states.save(&saved(0..100, 1_000));
        states.save(&tuned);
        let mut states = open(scratch.path(), 1 << 20, "m");
        let base: Vec<Token> = (0..100).collect();
        assert_eq!(states.take(&base, "house"), Some(tuned));
        assert_eq!(
            states.take(&base, ""),
            Some(saved(0..100, 1_000)),
            "neither replaces the other"
        );
        assert_eq!((states.shared(&base, "other"), states.covers(&base, "other")), (0, false));
        assert_eq!(states.take(&base, "other"), None);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_what_is_saved() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("states");
        open(&folder, 1 << 20, "m").save(&saved(0..100, 10));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&files(&folder)[0])), (0o700, 0o600));
    }

    #[test]
    fn clearing_removes_everything() {
        let scratch = tempfile::tempdir().unwrap();
        open(scratch.path(), 1 << 20, "m").save(&saved(0..100, 10));
        open(scratch.path(), 1 << 20, "n").save(&saved(0..100, 10));
        assert_eq!(clear(scratch.path()).unwrap().0, 2);
        assert_eq!(files(scratch.path()).len(), 0);
        assert_eq!(clear(&scratch.path().join("nowhere")).unwrap(), (0, 0));
    }
}
