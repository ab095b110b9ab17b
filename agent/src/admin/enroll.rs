//! `POST /admin/enroll`: the site gets its link.

use std::{path::Path, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_bundle::{Standing, TrustRoot, payload::SiteMode};
use farhold_contract::{
    Code,
    call::enroll::{ENROLL_TOKEN_MAX_BYTES, EnrollToken},
};

use crate::{
    importer::refusal,
    link::{ENROLLMENT_FILE, Enrolled, Enrollment, LinkError},
    own_event::Draft,
    owner::AppendOwn,
};

use super::{Admin, answer::EnrollAnswer};

/// Whether a standing that exists may be given up for a new one.
#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    anew: bool,
}

pub(super) async fn enroll(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let Choice { anew } = super::query(&parts.uri)?;
        may_enroll(&admin, anew)?;
        let body = super::read(body, ENROLL_TOKEN_MAX_BYTES, Code::RequestTooLarge).await?;
        let text = std::str::from_utf8(&body).unwrap_or_default();
        let token: EnrollToken = text
            .parse()
            .map_err(|error| refusal(Code::EnrollTokenInvalid, &error as &dyn std::error::Error))?;

        let Enrolled { enrollment, root } =
            ask(&admin, &token).await.map_err(|error| told(&error))?;
        // The root comes first: a standing without it would pull what it can't verify.
        trust(&admin, &root, &token).await?;
        keep(&enrollment, &admin.place.state_dir)?;
        record(&admin, &enrollment).await;
        tracing::info!(kernel = %enrollment.url, "enrolled at the Kernel");
        let answer = farhold_api::json(&described(&enrollment)?);
        admin.reopen.notify_one();
        answer
    })
    .await
}

fn may_enroll(admin: &Admin, anew: bool) -> Result<(), Refusal> {
    if admin.place.mode == Some(SiteMode::Detached) {
        let detail = "a detached site has no link: set mode = \"managed\" in agent.toml first";
        return Err(Refusal::new(Code::UsageInvalid, detail));
    }
    let stands = admin.place.state_dir.join(ENROLLMENT_FILE).exists();
    if stands && !anew { Err(Code::EnrollAlready.into()) } else { Ok(()) }
}

async fn ask(admin: &Admin, token: &EnrollToken) -> Result<Enrolled, LinkError> {
    let wall = admin.clock.read().wall;
    let version = env!("CARGO_PKG_VERSION");
    crate::link::enroll(token, &admin.place.device, version, wall, &admin.link).await
}

/// Takes over the root that the token pins; where one of the same issuer stands already, the
/// chain that the next bundle brings leads there.
async fn trust(admin: &Admin, line: &[u8], token: &EnrollToken) -> Result<(), Refusal> {
    let root = TrustRoot::install(line, Some(token.root_sha256))
        .map_err(|reason| refusal(reason.code(), &reason))?;
    let stands = issuer(&admin.owner.snapshot().documents.standing);
    if stands.is_some_and(|issuer| issuer == root.root().issuer.id) {
        return Ok(());
    }
    admin.importer.install(root).await.map(drop)
}

fn issuer(standing: &Standing) -> Option<farhold_contract::id::IssuerId> {
    standing.root().map(|root| root.root().issuer.id)
}

fn keep(enrollment: &Enrollment, state_dir: &Path) -> Result<(), Refusal> {
    enrollment.save(state_dir).map_err(|error| refusal(error.code(), &error))
}

async fn record(admin: &Admin, enrollment: &Enrollment) {
    let payload = json!({
        "kernel": enrollment.url,
        "runtime_id": enrollment.runtime_id,
        "tenants": enrollment.tenants,
    });
    let draft = Draft::new(OwnKind::Enrolled, payload);
    let append = AppendOwn { tenant_id: enrollment.own_tenant(), draft };
    if admin.owner.submit(append).await.is_err() {
        tracing::warn!("the enrollment could not be recorded");
    }
}

fn described(enrollment: &Enrollment) -> Result<EnrollAnswer, Refusal> {
    let facts = enrollment.current.facts().map_err(|_| Code::KernelAnswer)?;
    Ok(EnrollAnswer {
        kernel: enrollment.url.clone(),
        tenants: enrollment.tenants.clone(),
        runtime_id: enrollment.runtime_id,
        certificate_ends: facts.not_after,
    })
}

/// What went wrong on the way to the Kernel, or what the Kernel said.
fn told(error: &LinkError) -> Refusal {
    let words = format!("{} {}", crate::error_chain(error), error.action());
    Refusal { retry_after: error.retry_after(), ..Refusal::new(error.code(), words) }
}
