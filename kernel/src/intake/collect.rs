//! Collect: a batch's compressed bytes, before anything is made of them.
//!
//! They are collected first, so that a slow sender holds no thread.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use farhold_api::Refusal;
use farhold_contract::Code;

use crate::{agents::head::single, intake::admission::Place};

/// From the end of the head to the end of the body: a megabyte over a thin line. Whoever uses it
/// all has a certificate, and one batch in flight.
const BODY_TIME: Duration = Duration::from_secs(60);

/// Holds a batch to its declaration: NDJSON, zstd.
///
/// # Errors
/// `request.media_type`.
pub(super) fn declared(headers: &HeaderMap) -> Result<(), Refusal> {
    let is = |value: Option<&HeaderValue>, wanted: &str| {
        value.is_some_and(|value| {
            let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            essence.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes())
        })
    };
    let media_type = single(headers, header::CONTENT_TYPE.as_str())?;
    let encoding = single(headers, header::CONTENT_ENCODING.as_str())?;
    if is(media_type, "application/x-ndjson") && is(encoding, "zstd") {
        return Ok(());
    }
    let detail = "a batch is application/x-ndjson with Content-Encoding: zstd";
    Err(Refusal::new(Code::RequestMediaType, detail))
}

/// The whole body, within `limit` bytes and the place's share of all batches.
///
/// # Errors
/// `request.too_large`; `request.timeout`; `request.malformed` if it ends too early;
/// `server.overloaded`.
pub(super) async fn collect(body: Body, limit: usize, place: &mut Place) -> Result<Bytes, Refusal> {
    // A declared length is the lower bound and the upper one.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    timeout(BODY_TIME, pieces(body, limit, place)).await.map_err(|_elapsed| Code::RequestTimeout)?
}

async fn pieces(mut body: Body, limit: usize, place: &mut Place) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Refusal::new(Code::RequestMalformed, "the body ended too early"))?;
        let Ok(piece) = frame.into_data() else { continue };
        if whole.len().saturating_add(piece.len()) > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&piece);
        place.hold(whole.len())?;
    }
    Ok(whole.freeze())
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(Code::RequestTooLarge, format!("a batch has at most {limit} bytes compressed"))
}
