//! `farhold-kernel run`: the Kernel itself.

use super::{log, session::Session};

#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let config = session.config()?;
        log::begin(config.log);
        crate::run(config)
    }
}
