//! `farhold-kernel audit search --tenant ID`.

use farhold_terminal::stdout;

use crate::{admin::answer::AuditAnswer, cli::session::Session};

use super::filter::Filter;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    filter: Filter,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000)]
    most: usize,
}

/// Events a page.
const PAGE: usize = 500;

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let door = session.door()?;
        let mut found = AuditAnswer { events: Vec::new(), next: None };
        let mut shown = 0;
        loop {
            let left = PAGE.min(self.most - shown);
            let ask = self.filter.ask().with("order", Some("oldest")).with("limit", Some(left));
            let page: AuditAnswer = door.json(ask.with("after", found.next.take()))?;
            found.next = page.next;
            // People see what is found as it comes; a program reads one value at the end.
            if session.json() {
                found.events.extend(page.events);
                shown = found.events.len();
            } else {
                let lines = super::described(&page.events, shown == 0);
                shown += page.events.len();
                stdout::write(lines.as_bytes())?;
            }
            if found.next.is_none() || shown >= self.most {
                break;
            }
        }
        if session.json() { stdout::json(&found) } else { Ok(()) }
    }
}
