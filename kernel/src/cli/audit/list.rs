//! `farhold-kernel audit list --tenant ID`.

use farhold_terminal::stdout;

use crate::{admin::answer::AuditAnswer, cli::session::Session};

use super::filter::Filter;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    filter: Filter,
    /// How many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let door = session.door()?;
        let wanted = usize::from(self.count);
        let mut listed = AuditAnswer { events: Vec::new(), next: None };
        // A page may be short: the Kernel looks through only so much for one answer.
        loop {
            let left = wanted - listed.events.len();
            let ask = self.filter.ask().with("order", Some("newest")).with("limit", Some(left));
            let page: AuditAnswer = door.json(ask.with("after", listed.next.take()))?;
            listed.events.extend(page.events);
            listed.next = page.next;
            if listed.next.is_none() || listed.events.len() >= wanted {
                break;
            }
        }
        if session.json() {
            return stdout::json(&listed);
        }
        listed.events.reverse();
        stdout::write(super::described(&listed.events, true).as_bytes())
    }
}
