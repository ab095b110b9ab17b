//! `farhold config default`.

use farhold_terminal::stdout;

use crate::{cli::session::Session, config};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, _: &Session) -> anyhow::Result<()> {
        stdout::write(config::default_file().as_bytes())
    }
}
