//! `POST /admin/export`: the checkpoint and the records after the last receipt, streamed.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Uri, header::CONTENT_TYPE};
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::mpsc;

use farhold_api::Refusal;
use farhold_audit::{ChainPosition, ExportWriter, checkpoint};
use farhold_contract::Code;
use farhold_store::Reader;

use crate::{report, site::Place, snapshot::Snapshot};

use super::Admin;

/// Records read in one statement, and sent in one piece.
const PAGE: usize = 500;

/// From where on.
#[derive(Deserialize)]
pub(super) struct From {
    /// The first record; absent: the one after the last receipt.
    from: Option<u64>,
}

pub(super) async fn export(
    State(admin): State<Arc<Admin>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    farhold_api::answer(&headers, async {
        let from: From = super::query(&uri)?;
        let snapshot = Snapshot::clone(&admin.owner.snapshot());
        let first = from.from.unwrap_or(snapshot.acknowledged_seq + 1).max(1);
        if first > snapshot.chain.seq {
            return Err(Code::ExportEmpty.into());
        }
        let before = before(&admin, first).await?;
        let lost = admin.queue().await?.lost;
        let now = snapshot.now(&admin.clock.read());
        let standing = report::standing(&admin.place, &snapshot, &now, lost);
        let (place, after) = (Arc::clone(&admin.place), snapshot.chain);
        let (pieces, waiting) = mpsc::channel(4);
        let mut head = Vec::new();
        let writer = checkpoint(&place.facts.device_key, &place.opening, before, after, standing)
            .map_err(|error| broken(&error))
            .and_then(|checkpoint| {
                ExportWriter::begin(&checkpoint, &place.device, &mut head)
                    .map_err(|error| broken(&error))
            })?;
        tokio::task::spawn_blocking(move || {
            if let Err(why) = send(&place, writer, head, (first, after.seq), &pieces) {
                tracing::error!(error = %why, "an export was cut off");
                // An error frame cuts the connection: the reader must not take it for the end.
                let _ = pieces.blocking_send(Err(std::io::Error::other(why)));
            }
        });
        Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::new(Pieces(waiting))).into_response())
    })
    .await
}

/// Reads page by page and holds every record to the chain on its way out.
fn send(
    place: &Place,
    mut writer: ExportWriter,
    head: Vec<u8>,
    (mut from, to): (u64, u64),
    pieces: &mpsc::Sender<std::io::Result<Bytes>>,
) -> Result<(), String> {
    let text = |error: &(dyn std::error::Error + 'static)| crate::error_chain(error).to_string();
    let reader = Reader::open(&place.state_dir).map_err(|error| text(&error))?;
    let mut piece = head;
    while from <= to {
        let page = reader.records(from, PAGE).map_err(|error| text(&error))?;
        if page.is_empty() {
            break;
        }
        for record in page.iter().take_while(|record| record.wire.link.seq <= to) {
            writer.record(&record.wire, &mut piece).map_err(|error| text(&error))?;
            from = record.wire.link.seq + 1;
        }
        if pieces.blocking_send(Ok(std::mem::take(&mut piece).into())).is_err() {
            // The reader went away; nothing is lost by it.
            return Ok(());
        }
    }
    writer.finish().map_err(|error| text(&error))
}

/// The chain before the first record of the export.
async fn before(admin: &Admin, first: u64) -> Result<ChainPosition, Refusal> {
    if first == 1 {
        return Ok(ChainPosition::start(&admin.place.opening));
    }
    let seq = first - 1;
    let head = admin.read(move |reader| reader.head_at(seq)).await?;
    let detail = format!("record {seq} is no longer kept; export from a later one");
    Ok(ChainPosition { seq, head: head.ok_or_else(|| Refusal::new(Code::AuditGap, detail))? })
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Refusal {
    Refusal::new(Code::ChainBroken, crate::error_chain(error).to_string())
}

/// A body that arrives piece by piece: an export of millions of records takes no memory.
struct Pieces(mpsc::Receiver<std::io::Result<Bytes>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
