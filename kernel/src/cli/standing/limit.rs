//! `farhold-kernel tenant|runtime limit ID --deny FEATURE`.

use farhold_contract::call::heartbeat::KernelStatus;

use super::{Subject, put};
use crate::cli::session::Session;

#[derive(clap::Args)]
pub(in crate::cli) struct Args<S: Subject> {
    #[command(flatten)]
    subject: S,
    /// Deny this feature; may be repeated
    #[arg(long, value_name = "FEATURE", required = true)]
    deny: Vec<String>,
}

impl<S: Subject> Args<S> {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        put(session, &self.subject, KernelStatus::Limited, self.deny.into_iter().collect())
    }
}
