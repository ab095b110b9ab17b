//! Standard output: data only, and quiet when its reader leaves.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use farhold_contract::Code;

use super::failure::{Failure, ReaderGone};

/// Writes all of it and flushes.
pub(super) fn write(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => ReaderGone.into(),
        _ => Failure::new(Code::OutputUnwritable, "standard output can't be written")
            .because(error)
            .into(),
    })
}

/// Writes one JSON value.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    write(text.as_bytes())
}
