//! Left: what an interrupted run has left under a hidden name, told from what others put there.

use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    path::Path,
};

use farhold_contract::Code;

use super::{has_key, refuse_key, unwritable};
use crate::refusal::Refusal;

/// Opens what an interrupted run of this user has left, if anything has the name.
///
/// # Errors
/// `output.is_key`, `output.unwritable` for what no run has left.
pub(crate) fn open_left(hidden: &Path) -> Result<Option<File>, Refusal> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    // Before it is opened: a pipe waits, and a device may do what nobody asked for.
    match hidden.symlink_metadata() {
        Ok(metadata) => require_left(hidden, &metadata)?,
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(unwritable(hidden, &error)),
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    guard(&mut options);
    let file = match options.open(hidden) {
        Ok(file) => file,
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(unwritable(hidden, &error)),
    };
    // And of what was opened: the name may have changed hands in between.
    let metadata = file.metadata().map_err(|error| unwritable(hidden, &error))?;
    require_left(hidden, &metadata)?;
    if has_key(&file) {
        return Err(refuse_key(hidden));
    }
    Ok(Some(file))
}

/// Refuses what an interrupted run of this user can't have left.
fn require_left(hidden: &Path, metadata: &Metadata) -> Result<(), Refusal> {
    match why_strange(metadata) {
        Some(why) => Err(strange(hidden, why)),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn why_strange(metadata: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;

    if metadata.is_symlink() {
        Some("is a link to something else")
    } else if !metadata.is_file() {
        Some("is no regular file")
    } else if metadata.nlink() != 1 {
        Some("is a file that has another name as well")
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        Some("belongs to another user")
    } else {
        None
    }
}

#[cfg(not(unix))]
fn why_strange(metadata: &Metadata) -> Option<&'static str> {
    (!metadata.is_file()).then_some("is no regular file")
}

/// A link is not followed, and a pipe is not waited for.
#[cfg(unix)]
fn guard(options: &mut OpenOptions) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.custom_flags(flags.bits() as i32);
}

#[cfg(not(unix))]
fn guard(_: &mut OpenOptions) {}

/// The refusal for what no run has left.
pub(super) fn strange(hidden: &Path, why: &str) -> Refusal {
    let what = format!(
        "{} is what an unfinished output is called, and {why}: it is left as it is",
        hidden.display()
    );
    Refusal::new(Code::OutputUnwritable, what).with_next(
        "Find out who put it there, and move it away; or choose another path for the output.",
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::file::{Partial, hidden};

    #[cfg(unix)]
    #[test]
    fn what_no_run_has_left_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let hidden = hidden(&path).unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        type Put = fn(&PathBuf, &PathBuf) -> io::Result<()>;
        let puts: [Put; 3] = [
            |precious, hidden| std::os::unix::fs::symlink(precious, hidden),
            |precious, hidden| fs::hard_link(precious, hidden),
            |_, hidden| fs::create_dir(hidden),
        ];
        for put in puts {
            put(&precious, &hidden).unwrap();
            for refused in [Partial::resume(&path).map(drop), open_left(&hidden).map(drop)] {
                assert_eq!(refused.unwrap_err().code(), Code::OutputUnwritable);
            }
            fs::remove_file(&hidden).or_else(|_| fs::remove_dir(&hidden)).unwrap();
        }
        fs::write(&hidden, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert_eq!(Partial::resume(&path).unwrap_err().code(), Code::OutputIsKey);
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
    }
}
