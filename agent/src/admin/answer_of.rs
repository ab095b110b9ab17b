//! From what stands to what the admin door says of it.

pub(super) mod binding;
pub(super) mod policy;

use farhold_bundle::TrustRoot;

use crate::{site::Place, snapshot::Snapshot};

use super::{
    Admin,
    answer::{LinkAnswer, QueueAnswer, TrustAnswer},
};

/// The trust root, if one is installed.
pub(super) fn trust(snapshot: &Snapshot) -> Option<TrustAnswer> {
    let roots = snapshot.documents.standing.roots();
    let (first, current) = (roots.first()?, roots.last()?);
    let root = current.root();
    Some(TrustAnswer {
        issuer_id: root.issuer.id,
        issuer_name: root.issuer.name.clone(),
        version: current.version(),
        sha256: root.sha256(),
        expires: root.expires,
        installed_version: TrustRoot::version(first),
    })
}

/// The link to the Kernel, where the agent is enrolled.
pub(super) fn link(admin: &Admin, snapshot: &Snapshot) -> Option<LinkAnswer> {
    let enrollment = admin.place.enrollment.as_ref()?;
    let view = admin.board.view();
    let online = admin.board.is_online(admin.clock.read().boottime_ms);
    Some(LinkAnswer {
        state: if online { "online" } else { "offline" }.to_owned(),
        kernel: enrollment.url.clone(),
        runtime_id: enrollment.runtime_id,
        heard_at: view.heard_at,
        pulled_at: view.pulled_at,
        pushed_at: view.pushed_at,
        certificate_ends: view.certificate.map(|life| life.ends),
        failing: view.failing.as_ref().map(|failing| failing.told.clone()),
        taken_away: snapshot.word.told(),
    })
}

/// The queue.
pub(super) fn queue(
    snapshot: &Snapshot,
    place: &Place,
    epoch: String,
    figures: farhold_store::QueueFigures,
) -> QueueAnswer {
    QueueAnswer {
        events: snapshot.chain.seq - snapshot.acknowledged_seq,
        bytes: figures.bytes,
        cap_bytes: place.cap_bytes,
        oldest_at: figures.oldest_at,
        last_seq: snapshot.chain.seq,
        acknowledged_seq: snapshot.acknowledged_seq,
        epoch,
        head: snapshot.chain.head.into(),
        lost: figures.lost,
    }
}
