//! Standing: what is taken away from an organization, a runtime or an agent.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use farhold_contract::call::heartbeat::{KernelStanding, KernelStatus};

use super::{client::Ask, session::Session, text};
use crate::admin::answer::StandingRequest;

/// Asks the Kernel to hold it so from now on.
pub(super) fn put<T: DeserializeOwned>(
    session: &Session,
    path: String,
    status: KernelStatus,
    features_denied: BTreeSet<String>,
) -> anyhow::Result<T> {
    let ask = Ask::put(path).json(&StandingRequest { status, features_denied })?;
    session.door()?.json(ask)
}

/// `active`, `suspended`, `limited: exams, reports`.
pub(super) fn words(standing: &KernelStanding) -> String {
    let denied: Vec<String> =
        standing.features_denied.iter().map(|name| text::plain(name)).collect();
    match standing.status {
        KernelStatus::Active => "active".to_owned(),
        KernelStatus::Suspended => "suspended".to_owned(),
        KernelStatus::Limited => format!("limited: {}", denied.join(", ")),
    }
}
