//! `farhold-kernel run`: the Kernel itself.

use farhold_terminal::log;

use super::session::Session;
use crate::config::LogFormat;

#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let config = session.config()?;
        match config.log.format {
            LogFormat::Text => log::text(config.log.level),
            LogFormat::Json => log::json(config.log.level),
        }
        crate::run(config)
    }
}
