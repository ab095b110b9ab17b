//! `farhold-kernel trust show`.

use farhold_terminal::stdout;

use crate::{
    admin::answer::TrustAnswer,
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let trust: TrustAnswer = session.door()?.json(Ask::get("/kernel/admin/trust"))?;
        if session.json() {
            return stdout::json(&trust);
        }
        stdout::write(super::described(&trust).as_bytes())
    }
}
