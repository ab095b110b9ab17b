//! `GET /admin/audit/tail` and `/admin/audit/verify`: the chain, read and verified.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, Uri};
use serde::Deserialize;

use farhold_api::Refusal;
use farhold_audit::{ChainPosition, Head, next_head};
use farhold_contract::Code;
use farhold_store::{Reader, StoreError};

use super::{
    Admin,
    answer::{AuditTailAnswer, AuditVerifyAnswer},
};

/// Most records that one answer carries.
const TAIL_MAX: usize = 1_000;
/// Records read in one statement.
const PAGE: usize = 1_000;

/// How many of the last records.
#[derive(Deserialize)]
pub(super) struct Tail {
    #[serde(default = "ten")]
    count: usize,
}

fn ten() -> usize {
    10
}

pub(super) async fn tail(
    State(admin): State<Arc<Admin>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    farhold_api::answer(&headers, async {
        let tail: Tail = super::query(&uri)?;
        let kept = admin.read(move |reader| reader.tail(tail.count.min(TAIL_MAX))).await?;
        let records = kept
            .iter()
            .map(|record| {
                let mut line = Vec::new();
                record.wire.to_line(&mut line);
                serde_json::from_slice(&line)
            })
            .collect::<Result<_, _>>()
            .map_err(|_| Code::ServerInternal)?;
        farhold_api::json(&AuditTailAnswer { records })
    })
    .await
}

pub(super) async fn verify(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        let opening = ChainPosition::start(&admin.place.opening);
        let upto = admin.owner.snapshot().chain;
        let verified = admin.read(move |reader| walk(reader, opening, upto)).await?;
        let (first, last) = verified.map_err(|seq| {
            Refusal::new(
                Code::ChainBroken,
                format!("record {seq} does not follow from the one before it"),
            )
        })?;
        farhold_api::json(&AuditVerifyAnswer {
            epoch: admin.place.opening.epoch.to_string(),
            from_seq: first,
            to_seq: last.seq,
            records: if first == 0 { 0 } else { last.seq - first + 1 },
            head: last.head.into(),
        })
    })
    .await
}

/// Walks every record kept; the first one that breaks the chain is the error.
fn walk(
    reader: &Reader,
    opening: ChainPosition,
    upto: ChainPosition,
) -> Result<Result<(u64, ChainPosition), u64>, StoreError> {
    let Some(first) = reader.first_seq()? else {
        return Ok(if upto.seq == 0 { Ok((0, opening)) } else { Err(1) });
    };
    let mut position = opening;
    let mut from = first;
    // Where earlier records have been pruned, the first kept one's head is the beginning.
    let mut anchored = first == 1;
    while from <= upto.seq {
        let page = reader.records(from, PAGE)?;
        let Some(last) = page.last() else { return Ok(Err(from)) };
        from = last.wire.link.seq + 1;
        for record in &page {
            let expected: Head =
                if anchored { next_head(&position.head, &record.wire.link) } else { record.head };
            if record.head != expected || (anchored && record.wire.link.seq != position.seq + 1) {
                return Ok(Err(record.wire.link.seq));
            }
            position = ChainPosition { seq: record.wire.link.seq, head: record.head };
            anchored = true;
            if position.seq == upto.seq {
                return Ok(if position.head == upto.head {
                    Ok((first, position))
                } else {
                    Err(upto.seq)
                });
            }
        }
    }
    Ok(Err(from))
}
