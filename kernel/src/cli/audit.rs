//! `farhold-kernel audit`: what was recorded, at every site and here.

mod filter;
mod list;
mod search;
mod verify;

use clap::Subcommand;

use farhold_contract::model::AuditEvent;
use farhold_terminal::text;

use super::session::Session;
use crate::admin::answer::AuditEventAnswer;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show an organization's last events
    List(list::Args),
    /// Show every event that matches, oldest first
    Search(search::Args),
    /// Recompute every chain from its records
    Verify(verify::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.act(session),
            Self::Search(args) => args.act(session),
            Self::Verify(args) => args.act(session),
        }
    }
}

/// A table of events, with heads or without.
fn described(events: &[AuditEventAnswer], with_heads: bool) -> String {
    let heads = ["RECORDED", "TYPE", "ACTOR", "AGENT", "SEQ", "EVENT"].map(str::to_owned).to_vec();
    let mut rows: Vec<Vec<String>> = with_heads.then_some(heads).into_iter().collect();
    rows.extend(events.iter().map(|kept| {
        let event: Option<AuditEvent> =
            kept.event.as_ref().and_then(|event| serde_json::from_str(event.get()).ok());
        let of = |read: fn(&AuditEvent) -> String| event.as_ref().map(read);
        vec![
            kept.recorded_at.to_string(),
            text::or_dash(of(|event| text::plain(&event.kind))),
            text::or_dash(of(|event| text::plain(&event.actor_id))),
            text::or_dash(kept.agent_id),
            kept.seq.to_string(),
            text::or_dash(of(|event| event.event_id.to_string())),
        ]
    }));
    text::columns(&rows)
}
