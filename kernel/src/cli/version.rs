//! `farhold-kernel version`.

use farhold_terminal::version;

use super::session::Session;

#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        version::show("farhold-kernel", env!("CARGO_PKG_VERSION"), session.json())
    }
}
