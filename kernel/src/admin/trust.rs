//! `/kernel/admin/trust`: the vendor's trust root, shown and installed once.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use farhold_api::Refusal;
use farhold_bundle::{LIMITS, Standing, TrustRoot};
use farhold_contract::{Code, Sha256Digest, digest::DigestError};

use super::{
    act::{Act, acting, to_the_end},
    answer::TrustAnswer,
    refusal,
};
use crate::{control_plane::ControlPlane, documents::Documents};

/// The hash of the root's payload, carried apart from the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    sha256: String,
}

pub(super) async fn show(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.trust.show", async |act| {
        let trust = answer(&act.plane.documents()).ok_or(Code::TrustMissing)?;
        act.record(json!({"version": trust.version, "sha256": trust.sha256})).await?;
        farhold_api::json(&trust)
    })
    .await
}

pub(super) async fn install(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.trust.install", async |act| {
        let pin: Pin = super::query(&head.uri)?;
        let sha256: Sha256Digest = pin.sha256.parse().map_err(|error: DigestError| {
            Refusal::new(Code::UsageInvalid, format!("sha256: {error}"))
        })?;
        let bytes = super::raw_body(body, LIMITS.envelope_bytes, Code::EnvelopeTooLarge).await?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let root = TrustRoot::install(line, Some(sha256)).map_err(|reason| {
            Refusal::new(reason.code(), crate::error_chain(&reason).to_string())
        })?;
        farhold_api::json(&to_the_end(installed(act, root, sha256)).await?)
    })
    .await
}

async fn installed(
    act: Act,
    root: TrustRoot,
    sha256: Sha256Digest,
) -> Result<TrustAnswer, Refusal> {
    let _one_at_a_time = act.plane.importing.lock().await;
    match act.plane.documents().standing.roots().first() {
        // The same root again changes nothing, whatever it has been rotated to since.
        Some(first) if first.root().sha256() == sha256 => {
            act.record(json!({"sha256": sha256, "installed": false})).await?;
        }
        Some(_) => return Err(Code::TrustConflict.into()),
        None => {
            let standing = Standing::with_trust(root);
            let lines = standing.lines().map(<[u8]>::to_vec).collect();
            let trail = act.trail(json!({"sha256": sha256, "installed": true}), vec![]);
            act.plane.storage.put_documents(lines, trail).await.map_err(refusal)?;
            act.plane.replace_documents(standing);
        }
    }
    answer(&act.plane.documents()).ok_or_else(|| Code::TrustMissing.into())
}

/// The root in force, if there is one.
pub(super) fn answer(documents: &Documents) -> Option<TrustAnswer> {
    let root = documents.standing.root()?;
    let installed = documents.standing.roots().first().unwrap_or(root);
    Some(TrustAnswer {
        issuer_id: root.root().issuer.id,
        issuer_name: root.root().issuer.name.clone(),
        version: root.version(),
        sha256: root.root().sha256(),
        expires: root.root().expires,
        installed_version: installed.version(),
    })
}
