//! `POST /admin/import`: a bundle, previewed or imported.

mod changes;
mod trust_change;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;

use farhold_api::Refusal;
use farhold_bundle::LIMITS;
use farhold_contract::{Code, Sha256Digest};

use crate::importer::{Imported, Offer, Way, word};

use super::{
    Admin,
    answer::{ImportAnswer, LineAnswer},
};

/// Whether to apply what was planned, and which bundle alone.
#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    dry_run: bool,
    expect: Option<String>,
}

pub(super) async fn import(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let Choice { dry_run, expect } = super::query(&parts.uri)?;
        let expected = expect.as_deref().map(digest).transpose()?;
        let bytes = super::read(body, LIMITS.bundle_bytes, Code::BundleTooLarge).await?.to_vec();
        let offer = Offer { bytes, expected, way: Way::Hand };
        let imported = if dry_run {
            admin.importer.preview(offer).await?
        } else {
            admin.importer.import(offer).await?
        };
        farhold_api::json(&answer(&admin, imported, !dry_run).await?)
    })
    .await
}

fn digest(text: &str) -> Result<Sha256Digest, Refusal> {
    text.parse().map_err(|error: farhold_contract::digest::DigestError| {
        Refusal::new(Code::UsageInvalid, format!("expect: {error}"))
    })
}

async fn answer(admin: &Admin, imported: Imported, applied: bool) -> Result<ImportAnswer, Refusal> {
    let lines = imported.plan.lines.iter().map(|line| LineAnswer {
        line: line.line,
        document: line.document.to_string(),
        name: line.name.clone(),
        outcome: word(line.outcome).to_owned(),
    });
    let (lines, fallen) = (lines.collect(), imported.plan.fallen.clone());
    let (bundle_sha256, link) = (imported.bundle_sha256, admin.link());
    let comparing = tokio::task::spawn_blocking(move || changes::of(&imported, link));
    let changes = comparing.await.map_err(|_| Code::ServerInternal)?;
    Ok(ImportAnswer { applied, bundle_sha256, lines, fallen, changes })
}
