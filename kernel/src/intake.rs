//! `POST /kernel/audit/batches`: an agent's audit is taken in.
//!
//! A batch goes one way: admitted (how many at once), collected (compressed bytes within limits),
//! verified off the event loop (inflated, held to its chain, its content looked at), taken by the
//! storage in one transaction, and answered with a receipt.

mod admission;
mod alerts;
mod answer;
mod collect;
mod inflate;
mod judge;
mod vouch;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use http::request::Parts;

use farhold_api::Refusal;
use farhold_contract::Code;

use crate::{
    agents::caller::AgentCall,
    control_plane::ControlPlane,
    refusal::stored,
    storage::{AgentFacts, Batch, HeldBranch, Taken, Trail},
};

pub use admission::Intake;

use admission::Place;
use judge::Judged;

/// The route alone.
pub fn routes(plane: Arc<ControlPlane>) -> Router {
    Router::new().route("/kernel/audit/batches", post(push)).with_state(plane)
}

async fn push(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    farhold_api::answer(&head.headers, receive(plane, &head, body)).await
}

async fn receive(plane: Arc<ControlPlane>, head: &Parts, body: Body) -> Result<Response, Refusal> {
    let call = AgentCall::of(head, &plane).await?;
    collect::declared(&head.headers)?;
    has_room(&plane)?;
    let mut place = plane.intake.admit(call.agent.runtime_id)?;
    let limit = plane.config.limits.batch_bytes;
    let compressed = collect::collect(body, limit, &mut place).await?;
    // From here on the batch is whole: it is taken in even if its sender hangs up meanwhile.
    let taking = tokio::spawn(async move { take(&plane, &call.agent, compressed, place).await });
    taking.await.map_err(|_| Code::ServerInternal)?
}

/// Most branches held of one device key, epochs counted too: a site that is restored every week
/// takes decades to get there.
const BRANCHES_MAX: usize = 1_024;

/// A device that has begun histories without end may only go on with those it has.
fn forks_within_bounds(held: &[HeldBranch], judged: &Judged) -> Result<(), Refusal> {
    let before = judged.summary.before();
    let goes_on =
        |branch: &HeldBranch| branch.opening.epoch == judged.opening.epoch && branch.tip == before;
    if held.len() < BRANCHES_MAX || held.iter().any(goes_on) {
        return Ok(());
    }
    let detail = format!("{} histories of this device are held", held.len());
    Err(Refusal::new(Code::AuditFlood, detail).after(Duration::from_secs(3_600)))
}

/// Below this much room on the disk, or this part of a small one, no batch is taken:
/// registrations, checks and the administration go on.
const FREE_MIN_BYTES: u64 = 256 << 20;
const FREE_MIN_PART: u64 = 20;

/// The room that is left is not one agent's to fill.
fn has_room(plane: &ControlPlane) -> Result<(), Refusal> {
    // A disk that does not say is asked by writing.
    let Ok(disk) = rustix::fs::statvfs(plane.config.data_dir.path()) else { return Ok(()) };
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let full = bytes(disk.f_bavail) < FREE_MIN_BYTES.min(bytes(disk.f_blocks) / FREE_MIN_PART);
    plane.intake.note_disk(full);
    if !full {
        return Ok(());
    }
    Err(Refusal::from(Code::AuditFull).after(Duration::from_secs(10)))
}

/// Verifies a batch and takes it in.
async fn take(
    plane: &Arc<ControlPlane>,
    agent: &Arc<AgentFacts>,
    compressed: Bytes,
    place: Place,
) -> Result<Response, Refusal> {
    let turn = plane.intake.turn().await?;
    let of_agent = Arc::clone(agent);
    let judged = tokio::task::spawn_blocking(move || {
        let judged = judge::judge(&compressed, &of_agent);
        drop(turn);
        judged
    })
    .await
    .map_err(|_| Code::ServerInternal)??;

    let now = plane.now();
    let receipt = answer::receipt(&judged, now)?;
    let held = plane.storage.heads(agent.device_key.id()).await.map_err(stored)?;
    forks_within_bounds(&held, &judged)?;
    let vouched = vouch::needed(plane, &judged).await?;
    let raise = alerts::Incidents::of(agent, &judged, &held, now);
    let Judged { summary, opening, records, refused, .. } = judged;
    let batch = Batch {
        agent: agent.runtime_id,
        opening,
        before: summary.before(),
        receipt: vouched,
        received_at: now,
        records,
    };
    let taken = plane
        .storage
        .take_batch(batch, move |taken| Trail::alerts(raise.after(taken)))
        .await
        .map_err(stored)?;
    drop(place);
    match taken {
        Taken::Gap { heads } => answer::gap(&heads),
        Taken::Accepted { refused: further, missing, .. } => {
            if let Some(missing) = missing {
                tracing::warn!(
                    device_key_id = %opening.device_key_id,
                    epoch = %opening.epoch,
                    from = missing.from,
                    to = missing.to.seq,
                    "records that were confirmed are not held any more; their receipt stands for them"
                );
            }
            let refused = answer::refused(refused, further);
            answer::accepted(plane, &summary, refused, &receipt)
        }
    }
}
