//! `farhold fingerprint`: the machine as licenses are held to it.

mod explain;
mod show;
mod values;

use clap::Subcommand;

use super::session::Session;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    values: values::Values,
}

#[derive(Subcommand)]
enum Verb {
    /// Say how each license hangs on the machine, and what the next change would do
    Explain(explain::Args),
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self.verb {
            Some(Verb::Explain(args)) => args.act(session),
            None => show::act(&self.values, session),
        }
    }
}
