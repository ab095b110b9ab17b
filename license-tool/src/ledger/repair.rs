//! Repair: what was being written when someone pulled the plug.

use std::{
    fs::File,
    io::{self, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use farhold_ledger::{Head, LIMITS, Ledger};

use super::file::{open_locked, refuse_broken, unreadable};
use crate::{export::next_line, file, refusal::Refusal};

/// What a repair came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Repair {
    /// Nothing was torn.
    Whole(Head),
    /// The last entry was whole and lacked its line feed alone: it stays.
    Completed(Head),
    /// A piece of an entry was moved out: no license of it can have been written.
    MovedOut {
        /// Where the piece is now.
        to: PathBuf,
        /// How many bytes it has.
        bytes: usize,
        /// Where the ledger stands.
        head: Head,
    },
}

/// Repairs a torn last line; whatever else is wrong is left as it is.
///
/// # Errors
/// `ledger.broken` for anything but a torn last line, `ledger.locked`, `output.exists` where a
/// piece was moved out before, `output.unwritable`.
pub fn repair(path: &Path) -> Result<Repair, Refusal> {
    let mut file = open_locked(path)?;
    let (mut ledger, whole, torn) = read_whole_lines(path, &file)?;
    if torn.is_empty() {
        return Ok(Repair::Whole(ledger.head()));
    }
    let unwritable = |error: io::Error| {
        let what = format!("the ledger {} can't be written: {error}", path.display());
        Refusal::new(farhold_contract::Code::OutputUnwritable, what)
    };
    let completed = [torn.as_slice(), b"\n"].concat();
    if ledger.take(&completed).is_ok() {
        file.seek(SeekFrom::End(0))
            .and_then(|_| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .map_err(unwritable)?;
        return Ok(Repair::Completed(ledger.head()));
    }
    let to = beside(path, ledger.head());
    // The copy first: nothing is lost, whatever happens in between.
    file::write_new(&to, &torn)?;
    file.set_len(whole).and_then(|()| file.sync_all()).map_err(unwritable)?;
    Ok(Repair::MovedOut { to, bytes: torn.len(), head: ledger.head() })
}

/// The whole lines, how many bytes they have, and what comes after the last line feed.
fn read_whole_lines(path: &Path, mut file: &File) -> Result<(Ledger, u64, Vec<u8>), Refusal> {
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(path, &error))?;
    let mut reader = BufReader::new(file);
    let mut ledger = Ledger::empty();
    let mut line = Vec::new();
    let mut whole = 0;
    while next_line(&mut reader, LIMITS.line_bytes, &mut line)? {
        match ledger.take(&line) {
            Ok(_) => whole += line.len() as u64,
            // Without its own beginning it is no ledger: there is nothing to repair.
            Err(broken) if broken.is_torn() && ledger.issuer().is_some() => {
                let at_end = !next_line(&mut reader, LIMITS.line_bytes, &mut Vec::new())?;
                return match at_end {
                    true => Ok((ledger, whole, line)),
                    false => Err(refuse_broken(path, &broken)),
                };
            }
            Err(broken) => return Err(refuse_broken(path, &broken)),
        }
    }
    Ok((ledger, whole, Vec::new()))
}

fn beside(path: &Path, head: Head) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".torn-after-{}", head.seq));
    PathBuf::from(name)
}
