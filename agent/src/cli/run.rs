//! `farhold run`: the agent itself.

use super::{log, session::Session};
use crate::config::Config;

#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let sources = session.sources()?;
        let config = Config::load(&sources)?;
        log::begin(&config.log, config.log.level);
        crate::run(config, move || Config::load(&sources))
    }
}
