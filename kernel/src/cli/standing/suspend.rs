//! `farhold-kernel tenant|runtime|agent suspend ID`.

use std::collections::BTreeSet;

use farhold_contract::call::heartbeat::KernelStatus;

use super::{Subject, put};
use crate::cli::session::Session;

#[derive(clap::Args)]
pub(in crate::cli) struct Args<S: Subject> {
    #[command(flatten)]
    subject: S,
}

impl<S: Subject> Args<S> {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        put(session, &self.subject, KernelStatus::Suspended, BTreeSet::new())
    }
}
