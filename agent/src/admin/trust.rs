//! `GET` and `POST /admin/trust`: the trust root, shown and installed once.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::HeaderMap;
use serde::Deserialize;

use farhold_api::Refusal;
use farhold_bundle::{LIMITS, TrustRoot};
use farhold_contract::{Code, Sha256Digest};

use crate::importer::refusal;

use super::{Admin, answer_of};

/// The hash of the root's payload, carried apart from the file.
#[derive(Deserialize)]
pub(super) struct Pin {
    sha256: String,
}

pub(super) async fn show(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        let trust = answer_of::trust(&admin.owner.snapshot());
        farhold_api::json(&trust.ok_or(Code::TrustMissing)?)
    })
    .await
}

pub(super) async fn install(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let pin: Pin = super::query(&parts.uri)?;
        let sha256: Sha256Digest =
            pin.sha256.parse().map_err(|error: farhold_contract::digest::DigestError| {
                Refusal::new(Code::UsageInvalid, format!("sha256: {error}"))
            })?;
        let bytes = super::read(body, LIMITS.envelope_bytes, Code::EnvelopeTooLarge).await?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let root = TrustRoot::install(line, Some(sha256))
            .map_err(|reason| refusal(reason.code(), &reason))?;
        admin.importer.install(root).await?;
        farhold_api::json(&answer_of::trust(&admin.owner.snapshot()).ok_or(Code::TrustMissing)?)
    })
    .await
}
