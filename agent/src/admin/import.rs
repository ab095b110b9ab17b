//! `POST /admin/import`: a bundle, previewed or imported.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;

use farhold_bundle::{LIMITS, LineOutcome};
use farhold_contract::Code;

use crate::importer::Imported;

use super::{
    Admin,
    answer::{ImportAnswer, LineAnswer},
};

/// Whether to apply what was planned.
#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn import(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let Choice { dry_run } = super::query(&parts.uri)?;
        let bundle = super::read(body, LIMITS.bundle_bytes, Code::BundleTooLarge).await?.to_vec();
        let imported = if dry_run {
            admin.importer.preview(bundle).await?
        } else {
            admin.importer.import(bundle).await?
        };
        farhold_api::json(&answer(imported, !dry_run))
    })
    .await
}

fn answer(Imported { plan, bundle_sha256 }: Imported, applied: bool) -> ImportAnswer {
    let lines = plan.lines.iter().map(|line| LineAnswer {
        line: line.line,
        document: line.document.to_string(),
        name: line.name.clone(),
        outcome: match line.outcome {
            LineOutcome::New => "new",
            LineOutcome::Known => "known",
            LineOutcome::Superseded => "superseded",
        }
        .to_owned(),
    });
    ImportAnswer { applied, bundle_sha256, lines: lines.collect(), fallen: plan.fallen.clone() }
}
