//! Which events are asked for.

use farhold_contract::{
    Timestamp,
    id::{EventId, RuntimeId, TenantId},
};

use crate::cli::client::Ask;

#[derive(clap::Args)]
pub(in crate::cli) struct Filter {
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
    /// Only events whose type begins with this
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only this event
    #[arg(long, value_name = "UUID")]
    event: Option<EventId>,
    /// Only events of this runtime
    #[arg(long, value_name = "UUID")]
    runtime: Option<RuntimeId>,
    /// Only events that came by this agent
    #[arg(long, value_name = "UUID")]
    agent: Option<RuntimeId>,
    /// Only events with this text in them
    #[arg(long)]
    text: Option<String>,
    /// Only events recorded at or after this time, like 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only events recorded before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
}

impl Filter {
    /// The call for one page of them.
    pub(super) fn ask(&self) -> Ask {
        Ask::get(format!("/kernel/admin/tenants/{}/audit/events", self.tenant))
            .with("type", self.kind.as_ref())
            .with("event_id", self.event)
            .with("runtime_id", self.runtime)
            .with("agent", self.agent)
            .with("text", self.text.as_ref())
            .with("from", self.from)
            .with("to", self.to)
    }
}
