//! Chain: lines read one after the other, each proven to follow.

use crate::{
    act::Kind,
    broken::Broken,
    entry::{Entry, Head},
    limits::LIMITS,
    line,
};

/// A reader of lines (`specs/ledger.md` §2). After a refusal it stands where it stood before.
#[derive(Debug, Clone)]
pub struct Chain {
    head: Head,
    lines: u64,
}

/// Verifies what follows a known head: a whole ledger after [`Head::START`], or an export since
/// some entry. All of it holds, or nothing is returned.
///
/// # Errors
/// [`Broken`] names the first line that does not follow.
pub fn verify(after: Head, bytes: &[u8]) -> Result<(Vec<Entry>, Head), Broken> {
    let mut chain = Chain::after(after);
    let mut entries = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        entries.push(chain.take(line)?);
    }
    Ok((entries, chain.head()))
}

impl Chain {
    /// Before the first line of a ledger.
    pub const fn begin() -> Self {
        Self::after(Head::START)
    }

    /// After an entry that is known already.
    pub const fn after(head: Head) -> Self {
        Self { head, lines: 0 }
    }

    /// Takes the next line, with its line feed.
    ///
    /// # Errors
    /// [`Broken`], with the line counted from where this reader began.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Entry, Broken> {
        let line = self.lines + 1;
        let Some(content) = bytes.strip_suffix(b"\n") else {
            return Err(Broken::Torn { line, bytes: bytes.len() });
        };
        if bytes.len() > LIMITS.line_bytes {
            let why = format!("it is longer than {} bytes", LIMITS.line_bytes);
            return Err(Broken::Malformed { line, why });
        }
        let entry = line::read(content, line)?;
        let expected = self.head.seq + 1;
        if entry.seq != expected {
            return Err(Broken::Order { line, found: entry.seq, expected });
        }
        if entry.prev != self.head.hash {
            return Err(Broken::Unchained { line });
        }
        if (entry.act.kind() == Kind::Begun) != (entry.seq == 1) {
            return Err(Broken::Beginning { line });
        }
        self.advance(entry.head());
        Ok(entry)
    }

    /// Where the lines taken so far end.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Stands after an entry that this process wrote itself.
    pub(crate) const fn advance(&mut self, head: Head) {
        self.lines += 1;
        self.head = head;
    }
}
