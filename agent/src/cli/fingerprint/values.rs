//! Raw values, for a person at the machine's own terminal and nobody else: this process reads them
//! itself, and nothing of them goes to the agent or comes from it.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
};

use farhold_contract::Code;
use farhold_terminal::{Failure, text};

use crate::{
    cli::session::Session,
    machine::{Machine, Reading},
};

#[derive(clap::Args)]
pub(super) struct Values {
    /// Show the values themselves, too; only on a terminal
    #[arg(long)]
    show_values: bool,
}

impl Values {
    /// Each value that can be read here, or nothing if they were not asked for.
    pub(super) fn read(&self, session: &Session) -> anyhow::Result<BTreeMap<String, String>> {
        if !self.show_values {
            return Ok(BTreeMap::new());
        }
        if session.json() || !io::stdout().is_terminal() {
            let what = "--show-values shows serial numbers: on a terminal, and nowhere else";
            return Err(Failure::new(Code::UsageInvalid, what)
                .action("Leave it out; the hashes are what licenses hang on.")
                .into());
        }
        let look = Machine::of_system(&session.config()?).look();
        let shown = look.readings.iter().filter_map(|(name, reading)| match reading {
            Reading::Read(value) => Some((name.clone(), text::plain(value.danger_shown()))),
            _ => None,
        });
        Ok(shown.collect())
    }
}
