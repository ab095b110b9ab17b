//! From what stands to what the admin door says of it.

use farhold_bundle::TrustRoot;

use crate::{site::Place, snapshot::Snapshot};

use super::answer::{QueueAnswer, TrustAnswer};

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
