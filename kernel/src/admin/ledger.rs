//! `/kernel/admin/ledger`: what the vendor says it has issued.
//!
//! The Kernel holds a copy of the vendor's ledger, entry by entry. It grows at its end and nowhere
//! else: what is uploaded begins with what is held, or follows it.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use farhold_api::Refusal;
use farhold_contract::{
    Code, Sha256Digest,
    call::heartbeat::ReportedLicense,
    id::{IssuerId, LicenseId},
};
use farhold_ledger::{Act, Entry, Head};

use super::{
    act::{Act as Doing, acting, to_the_end},
    answer::{LedgerAnswer, LedgerUploadAnswer},
    page, refusal,
};
use crate::{
    control_plane::ControlPlane,
    storage::{Alert, HeldEntry, LedgerEntry, LedgerHead, StorageError, Trail},
};

/// Bytes of one upload: a longer ledger comes in pieces.
pub(crate) const PIECE_BYTES: usize = 8 << 20;

/// Whether there is more to come.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    #[serde(default)]
    more: bool,
}

/// Which entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    license_id: Option<LicenseId>,
    after: Option<u64>,
    limit: Option<usize>,
}

/// Where an upload begins, as its first line says.
#[derive(Deserialize)]
struct First {
    seq: u64,
    prev: Sha256Digest,
}

pub(super) async fn show(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.ledger.show", async |act| {
        let asked: Asked = super::query(&head.uri)?;
        let limit = page::limit(asked.limit)?;
        let storage = &act.plane.storage;
        let held = storage.ledger_head().await.map_err(refusal)?;
        let rows = storage.ledger_entries(asked.license_id, asked.after, limit).await;
        let rows = rows.map_err(refusal)?;
        act.record(json!({"seq": held.seq, "entries": rows.len()})).await?;
        farhold_api::json(&LedgerAnswer {
            seq: held.seq,
            hash: held.hash,
            whole_at: held.whole_at,
            next: page::next(&rows, limit, |entry| entry.seq),
            entries: rows.iter().map(shown).collect::<Result<_, _>>()?,
        })
    })
    .await
}

pub(super) async fn upload(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.ledger.upload", async |act| {
        let Piece { more } = super::query(&head.uri)?;
        let bytes = super::raw_body(body, PIECE_BYTES, Code::RequestTooLarge).await?;
        farhold_api::json(&to_the_end(taken(act, bytes, more)).await?)
    })
    .await
}

async fn taken(act: Doing, bytes: Bytes, more: bool) -> Result<LedgerUploadAnswer, Refusal> {
    // Until it is kept: each upload goes on from what the one before left.
    let _one_at_a_time = act.plane.importing.lock().await;
    let documents = act.plane.documents();
    let root = documents.standing.root().ok_or(Code::TrustMissing)?;
    let held = act.plane.storage.ledger_head().await.map_err(refusal)?;
    let before = base(&act.plane, &held, &bytes).await?;
    let (entries, end) = {
        let bytes = bytes.clone();
        tokio::task::spawn_blocking(move || farhold_ledger::verify(before, &bytes))
            .await
            .map_err(|_panic| Code::ServerInternal)?
            .map_err(|broken| {
                Refusal::new(broken.code(), crate::error_chain(&broken).to_string())
            })?
    };
    if entries.is_empty() {
        return Err(Refusal::new(Code::LedgerBroken, "there is no entry in it"));
    }
    is_of(root.root().issuer.id, &entries)?;
    agrees(&act.plane, &held, &entries).await?;

    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let new: Vec<LedgerEntry> = entries
        .iter()
        .zip(lines)
        .filter(|(entry, _)| entry.seq > held.seq)
        .map(|(entry, line)| kept(entry, line))
        .collect();
    let (taken, known) = (new.len(), entries.len() - new.len());
    let end = if end.seq > held.seq { end } else { Head { seq: held.seq, hash: held.hash } };
    let about = json!({"seq": end.seq, "hash": end.hash, "entries": taken, "more": more});
    let trail = {
        let act = act.clone();
        move |settled: &Vec<Alert>| told(&act, about, settled)
    };
    let (now, by) = (act.plane.now(), act.token_id.to_string());
    let settled = act.plane.storage.extend_ledger(new, !more, now, by, trail).await;
    let acknowledged = settled.map_err(refusal)?;
    Ok(LedgerUploadAnswer {
        taken: taken as u64,
        known: known as u64,
        seq: end.seq,
        hash: end.hash,
        acknowledged: acknowledged.iter().map(|alert| alert.alert_id.to_string()).collect(),
    })
}

/// Where the upload goes on from: an entry that is held, or the beginning.
async fn base(plane: &ControlPlane, held: &LedgerHead, bytes: &[u8]) -> Result<Head, Refusal> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(First { seq: first @ 2.., prev }) = serde_json::from_slice(first) else {
        // The first entry; or none, and the ledger's own reader says so.
        return Ok(Head::START);
    };
    let seq = first - 1;
    if seq > held.seq {
        let detail = format!(
            "it begins with entry {first}, and this Kernel holds {}: upload what follows, or all",
            held.seq
        );
        return Err(Refusal::new(Code::LedgerBroken, detail));
    }
    let hash = hash_at(plane, seq).await?;
    if hash != prev {
        return Err(forked(&format!(
            "entry {first} follows another entry {seq} than this Kernel's"
        )));
    }
    Ok(Head { seq, hash })
}

/// The ledger is the issuer's whose root is trusted here: its first entry says so.
fn is_of(issuer: IssuerId, entries: &[Entry]) -> Result<(), Refusal> {
    let other = entries.iter().find_map(|entry| match entry.act {
        Act::Begun { issuer: begun } if begun != issuer => Some(begun),
        _ => None,
    });
    other.map_or(Ok(()), |begun| {
        let detail = format!("it is the ledger of {begun}; the trust root is {issuer}'s");
        Err(Refusal::new(Code::TrustIssuer, detail))
    })
}

/// What is uploaded again is what is held. One entry tells: it stands for all before it.
async fn agrees(plane: &ControlPlane, held: &LedgerHead, entries: &[Entry]) -> Result<(), Refusal> {
    let Some(last) = entries.iter().rfind(|entry| entry.seq <= held.seq) else { return Ok(()) };
    if hash_at(plane, last.seq).await? == last.hash {
        return Ok(());
    }
    Err(forked(&format!("up to entry {} it is another ledger than this Kernel's", last.seq)))
}

/// Two copies have each gone on: a next serial, which the code's own action says, would mend none.
fn forked(what: &str) -> Refusal {
    let detail = format!(
        "{what}: two copies were written to. Go on with the one that is held here, and enter into \
         it what the other has issued (license-tool ledger enter)"
    );
    Refusal::new(Code::LedgerConflict, detail)
}

async fn hash_at(plane: &ControlPlane, seq: u64) -> Result<Sha256Digest, Refusal> {
    let hash = plane.storage.ledger_hash(seq).await.map_err(refusal)?;
    hash.ok_or_else(|| refusal(StorageError::Row { what: "ledger entry" }))
}

/// What was met outside of the ledger is not issued by it, until its slip is entered.
fn kept(entry: &Entry, line: &[u8]) -> LedgerEntry {
    let issue = match &entry.act {
        Act::Issued(issue) | Act::Rehosted(issue) | Act::Entered(issue) => Some(issue),
        Act::BreakGlass(_) | Act::Begun { .. } | Act::Released(_) => None,
    };
    LedgerEntry {
        seq: entry.seq,
        hash: entry.hash,
        license_id: entry.act.license_id(),
        issued: issue.map(|issue| ReportedLicense {
            license_id: issue.license_id,
            serial: issue.serial.as_u64(),
            sha256: issue.sha256,
        }),
        line: line.to_vec(),
    }
}

fn told(act: &Doing, about: serde_json::Value, settled: &[Alert]) -> Trail {
    let mut events = vec![act.event(about)];
    events.extend(settled.iter().map(|alert| {
        let about = json!({"alert_id": alert.alert_id.to_string(), "code": alert.code});
        act.concerns(alert.tenant_id, alert.agent, "kernel.alert.acknowledged", about)
    }));
    Trail::events(events)
}

fn shown(entry: &HeldEntry) -> Result<Box<RawValue>, Refusal> {
    let unreadable = || refusal(StorageError::Row { what: "ledger entry" });
    let text = String::from_utf8(entry.line.clone()).map_err(|_| unreadable())?;
    RawValue::from_string(text.trim_end().to_owned()).map_err(|_| unreadable())
}
