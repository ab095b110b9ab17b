//! Folder: the drop folder by its descriptor. No link is followed, and what was opened is what is
//! judged: nobody swaps a file between check and read.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode, RenameFlags, Stat, fstat, mkdirat,
        openat, renameat, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use farhold_api::Refusal;
use farhold_bundle::LIMITS;
use farhold_contract::Code;

use crate::file::FileError;

use super::{error::FolderError, outcome::Outcome, sightings::Seen};

/// Where what stands is kept.
pub const DONE: &str = "done";
/// Where what was refused is kept.
pub const REFUSED: &str = "refused";

/// Files of other names are none of the agent's business.
const SUFFIX: &[u8] = b".bundle";
const REASON: &str = ".reason.txt";
/// Most files looked at in one look; the others wait for the next.
const FILES_MAX: usize = 1_000;
/// A name has at most 255 bytes with everything that is added to it.
const STEM_MAX_BYTES: usize = 200;
/// Write permission of the group and of others.
const WRITABLE_BY_OTHERS: RawMode = 0o022;

/// The drop folder with its two folders, open.
pub(super) struct Folder {
    path: PathBuf,
    here: OwnedFd,
    done: OwnedFd,
    refused: OwnedFd,
    agent_uid: u32,
}

/// What a file turned out to be.
pub(super) enum Offered {
    /// Bytes to import.
    Bundle(Vec<u8>),
    /// Nothing the agent takes.
    Refused(Refusal),
    /// Not the file that stood still.
    Changed,
}

/// Says whether a folder could be watched by the agent with this user, with the two inside it
/// where they are there; changes nothing.
///
/// # Errors
/// [`FolderError`].
pub fn examine(path: &Path, agent_uid: u32) -> Result<(), FolderError> {
    let here = open_checked(CWD, path, path, agent_uid)?;
    for name in [DONE, REFUSED] {
        // The agent makes what is missing.
        if statat(&here, name, AtFlags::SYMLINK_NOFOLLOW).err() != Some(Errno::NOENT) {
            open_checked(&here, Path::new(name), &path.join(name), agent_uid)?;
        }
    }
    Ok(())
}

impl Folder {
    /// Opens a folder and the two inside it, making those where they are missing.
    pub(super) fn open(path: &Path, agent_uid: u32) -> Result<Self, FolderError> {
        let here = open_checked(CWD, path, path, agent_uid)?;
        let inside = |name: &str| {
            let whole = path.join(name);
            match mkdirat(&here, name, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(failed("make", &whole)(error)),
            }
            open_checked(&here, Path::new(name), &whole, agent_uid)
        };
        let (done, refused) = (inside(DONE)?, inside(REFUSED)?);
        Ok(Self { path: path.to_owned(), here, done, refused, agent_uid })
    }

    /// Every file that has a bundle's name, as it is now.
    pub(super) fn bundles(&self) -> Result<Vec<(OsString, Seen)>, FolderError> {
        let unreadable = failed("read", &self.path);
        let entries = Dir::read_from(&self.here).map_err(&unreadable)?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(&unreadable)?;
            let name = entry.file_name().to_bytes();
            if !name.ends_with(SUFFIX) || name.starts_with(b".") {
                continue;
            }
            match statat(&self.here, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => found.push((OsStr::from_bytes(name).to_owned(), Seen::from(&stat))),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(unreadable(error)),
            }
            if found.len() == FILES_MAX {
                break;
            }
        }
        Ok(found)
    }

    /// Opens a file and judges what was opened.
    pub(super) fn open_bundle(&self, name: &OsStr, seen: &Seen) -> Result<Offered, FolderError> {
        // Not blocking: opening a pipe would wait for whoever writes into it.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = match openat(&self.here, name, flags | OFlags::CLOEXEC, Mode::empty()) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(Offered::Changed),
            Err(Errno::LOOP | Errno::NXIO) => return Ok(not_regular()),
            Err(Errno::ACCESS | Errno::PERM) => return Ok(refused("the agent may not read it")),
            Err(error) => return Err(failed("open", &self.path.join(name))(error)),
        };
        let unreadable = failed("read", &self.path.join(name));
        let stat = fstat(&opened).map_err(&unreadable)?;
        if Seen::from(&stat) != *seen {
            return Ok(Offered::Changed);
        }
        if let Some(reason) = self.objection(&stat) {
            return Ok(Offered::Refused(reason));
        }
        let mut file = File::from(opened);
        let mut bundle = Vec::new();
        // One byte more tells a file that has grown from one at the limit.
        let most = LIMITS.bundle_bytes as u64 + 1;
        let read = (&mut file).take(most).read_to_end(&mut bundle);
        read.map_err(failed("read", &self.path.join(name)))?;
        let after = fstat(&file).map_err(&unreadable)?;
        if Seen::from(&after) != *seen { Ok(Offered::Changed) } else { Ok(Offered::Bundle(bundle)) }
    }

    /// Moves a file to where it belongs, under a name that is free, with the reason beside it.
    pub(super) fn put_away(
        &self,
        name: &OsStr,
        seen: &Seen,
        outcome: &Outcome,
    ) -> Result<PathBuf, FolderError> {
        let (into, folder) =
            if outcome.done { (&self.done, DONE) } else { (&self.refused, REFUSED) };
        let away = failed("move", &self.path.join(name));
        let stat = statat(&self.here, name, AtFlags::SYMLINK_NOFOLLOW).map_err(&away)?;
        if Seen::from(&stat) != *seen {
            // Another bundle has taken its name and has its own turn.
            return Err(away(Errno::STALE));
        }
        for number in 1.. {
            let kept = numbered(name, number);
            let mut reason = kept.clone();
            reason.push(REASON);
            // The reason's file comes first and holds the name: neither is ever overwritten.
            let text = outcome.reason.as_bytes();
            if !self.write_reason((into, folder), &reason, |file| file.write_all(text))? {
                continue;
            }
            match rename_to_free(&self.here, name, into, &kept) {
                Ok(()) => return Ok(Path::new(folder).join(kept)),
                Err(Errno::EXIST) => {
                    unlinkat(into, &reason, AtFlags::empty()).map_err(&away)?;
                }
                Err(error) => {
                    let _ = unlinkat(into, &reason, AtFlags::empty());
                    return Err(away(error));
                }
            }
        }
        Err(away(Errno::EXIST))
    }

    /// What speaks against a file before it is read.
    fn objection(&self, stat: &Stat) -> Option<Refusal> {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Some(unreadable("it is not a regular file"));
        }
        if stat.st_uid != self.agent_uid && stat.st_uid != 0 {
            return Some(unreadable(format!(
                "it belongs to user {}; only the agent's user ({}) and root may import here",
                stat.st_uid, self.agent_uid
            )));
        }
        if stat.st_mode & WRITABLE_BY_OTHERS != 0 {
            let mode = stat.st_mode & 0o7777;
            return Some(unreadable(format!(
                "its group or everybody may write to it (mode {mode:04o}): chmod go-w"
            )));
        }
        let most = LIMITS.bundle_bytes;
        let fits = usize::try_from(stat.st_size).is_ok_and(|size| size <= most);
        (!fits)
            .then(|| Refusal::new(Code::BundleTooLarge, format!("it has more than {most} bytes")))
    }

    /// `false` if there is a file of that name. What could not be written whole is not there.
    fn write_reason(
        &self,
        (into, folder): (&OwnedFd, &str),
        name: &OsStr,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<bool, FolderError> {
        let path = self.path.join(folder).join(name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        match openat(into, name, flags | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR) {
            Ok(opened) => write(&mut File::from(opened)).map(|()| true).map_err(|source| {
                // A full disk is tried again and again: each time would leave an empty file.
                let _ = unlinkat(into, name, AtFlags::empty());
                failed("write", &path)(source)
            }),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(failed("write", &path)(error)),
        }
    }
}

fn open_checked(
    at: impl AsFd,
    name: &Path,
    whole: &Path,
    agent_uid: u32,
) -> Result<OwnedFd, FolderError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(at, name, flags, Mode::empty()).map_err(failed("open", whole))?;
    let stat = fstat(&opened).map_err(failed("read", whole))?;
    let path = || whole.to_owned();
    if stat.st_uid != agent_uid {
        return Err(FolderError::Owner { path: path(), owner: stat.st_uid, agent: agent_uid });
    }
    if stat.st_mode & WRITABLE_BY_OTHERS != 0 {
        return Err(FolderError::Writable { path: path(), mode: stat.st_mode & 0o7777 });
    }
    Ok(opened)
}

/// The name, or a numbered one: `site.bundle`, `site-2.bundle`.
fn numbered(name: &OsStr, number: u32) -> OsString {
    let bytes = name.as_bytes();
    let stem = bytes.strip_suffix(SUFFIX).unwrap_or(bytes);
    let mut kept = stem[..stem.len().min(STEM_MAX_BYTES)].to_vec();
    if number > 1 {
        kept.extend_from_slice(format!("-{number}").as_bytes());
    }
    kept.extend_from_slice(SUFFIX);
    OsString::from_vec(kept)
}

fn rename_to_free(from: &OwnedFd, name: &OsStr, into: &OwnedFd, kept: &OsStr) -> Result<(), Errno> {
    match renameat_with(from, name, into, kept, RenameFlags::NOREPLACE) {
        // Not every filesystem can; in a folder of the agent's own nobody else makes files.
        Err(Errno::INVAL | Errno::NOSYS) => match statat(into, kept, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => renameat(from, name, into, kept),
            Ok(_) => Err(Errno::EXIST),
            Err(error) => Err(error),
        },
        renamed => renamed,
    }
}

fn failed<E: Into<io::Error>>(
    operation: &'static str,
    path: &Path,
) -> impl Fn(E) -> FolderError + use<E> {
    let failed = FileError::of(operation, path);
    move |error| FolderError::File(failed(error))
}

fn not_regular() -> Offered {
    refused("it is not a regular file")
}

fn refused(why: impl Into<String>) -> Offered {
    Offered::Refused(unreadable(why))
}

fn unreadable(why: impl Into<String>) -> Refusal {
    Refusal::new(Code::InputUnreadable, why)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_reason_that_a_full_disk_cuts_off_leaves_no_file_and_its_name_free() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let agent_uid = rustix::process::geteuid().as_raw();
        let folder = Folder::open(place.path(), agent_uid).unwrap();
        let name = OsStr::new("site.bundle.reason.txt");
        let full = |file: &mut File| {
            file.write_all(b"Impo")?;
            Err(io::Error::from(Errno::NOSPC))
        };
        let error = folder.write_reason((&folder.done, DONE), name, full).unwrap_err();
        let kept = place.path().join(DONE).join(name);
        assert!(error.to_string().contains(kept.to_str().unwrap()), "{error}");
        assert!(!kept.exists(), "an empty file would be left each hour");
        let whole = |file: &mut File| file.write_all(b"Imported.");
        assert!(folder.write_reason((&folder.done, DONE), name, whole).unwrap());
        assert!(!folder.write_reason((&folder.done, DONE), name, |_| Ok(())).unwrap());
        assert_eq!(fs::read(kept).unwrap(), b"Imported.", "nothing is overwritten");
    }
}
