//! `farhold export`: the audit leaves the site as a file.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use farhold_terminal::{stderr, stdout};

use super::{
    output::{OutputFile, check_path},
    session::Session,
};
use crate::admin::client::Ask;

/// The first line is the signed checkpoint of everything after it.
const FIRST_LINE_TIME: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(super) struct Args {
    /// Write to this new file; - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Begin with this record instead of the first that is not receipted
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = match self.from {
            Some(seq) => format!("/admin/export?from={seq}"),
            None => "/admin/export".to_owned(),
        };
        let ask = Ask::post(path).patience(FIRST_LINE_TIME);
        if self.out == Path::new("-") {
            session.door()?.stream(ask, &mut stdout::write)?;
            return Ok(());
        }
        check_path(&self.out, &session.config()?)?;
        let mut file = OutputFile::begin(&self.out)?;
        let bytes = session.door()?.stream(ask, &mut |piece| file.write(piece))?;
        file.commit()?;
        stderr::write(format!("Wrote {bytes} bytes to {}.\n", self.out.display()));
        Ok(())
    }
}
