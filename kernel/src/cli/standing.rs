//! Standing: what is taken away from an organization, a runtime or an agent; its three verbs.

pub(super) mod limit;
pub(super) mod resume;
pub(super) mod suspend;

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};

use farhold_contract::call::heartbeat::{KernelStanding, KernelStatus};
use farhold_terminal::{stdout, text};

use super::{client::Ask, session::Session};
use crate::admin::answer::StandingRequest;

/// Whose standing it is, as the command line names them.
pub(super) trait Subject: clap::Args {
    /// What the Kernel says of them afterwards.
    type Answer: Serialize + DeserializeOwned;

    /// For people: `organization 0190…`.
    fn name(&self) -> String;

    /// Where the Kernel keeps it.
    fn path(&self) -> String;

    /// The standing in its answer.
    fn standing(answer: &Self::Answer) -> &KernelStanding;
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

/// Has the Kernel hold it so from now on, and says how it stands.
fn put<S: Subject>(
    session: &Session,
    subject: &S,
    status: KernelStatus,
    features_denied: BTreeSet<String>,
) -> anyhow::Result<()> {
    let ask = Ask::put(subject.path()).json(&StandingRequest { status, features_denied })?;
    let held: S::Answer = session.door()?.json(ask)?;
    if session.json() {
        return stdout::json(&held);
    }
    let standing = words(S::standing(&held));
    stdout::write(format!("The {} is {standing}.\n", subject.name()).as_bytes())
}
