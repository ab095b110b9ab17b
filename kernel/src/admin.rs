//! The admin API: how the vendor's people govern, without touching the database.
//!
//! The administration is the tenant `internal`, with the contract's conventions and no bypass:
//! each call carries the contract's headers, is its tenant's by its token, and leaves an event
//! `kernel.admin.…` under that tenant, in the transaction of the change it makes. It has a
//! listener of its own; no route of it exists where agents and runtimes call.

mod act;
mod agents;
mod alerts;
pub mod answer;
mod audit;
mod bundles;
mod dead_letters;
mod enroll_tokens;
pub(crate) mod ledger;
mod licenses;
mod page;
mod providers;
mod runtime_tokens;
mod runtimes;
mod standing;
mod status;
mod tenants;
mod trust;
mod verify;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Query,
    routing::{delete, get, post, put},
};
use http::{HeaderMap, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use farhold_api::{Limits, Refusal};
use farhold_contract::{Code, id::IdError};

use crate::{control_plane::ControlPlane, refusal::stored, storage::StorageError};

/// The administration's routes; the listener adds a problem for every other path and method.
pub fn routes(plane: Arc<ControlPlane>) -> Router {
    Router::new()
        .route("/kernel/admin/status", get(status::show))
        .route("/kernel/admin/tenants", get(tenants::list).post(tenants::create))
        .route("/kernel/admin/tenants/{tenant_id}", get(tenants::show))
        .route("/kernel/admin/tenants/{tenant_id}/standing", put(tenants::hold))
        .route("/kernel/admin/tenants/{tenant_id}/runtimes", get(runtimes::list))
        .route(
            "/kernel/admin/tenants/{tenant_id}/runtimes/{runtime_id}/standing",
            put(runtimes::hold),
        )
        .route(
            "/kernel/admin/tenants/{tenant_id}/runtime-tokens",
            get(runtime_tokens::list).post(runtime_tokens::create),
        )
        .route(
            "/kernel/admin/tenants/{tenant_id}/runtime-tokens/{token_id}",
            delete(runtime_tokens::revoke),
        )
        .route("/kernel/admin/tenants/{tenant_id}/licenses", get(licenses::list))
        .route(
            "/kernel/admin/tenants/{tenant_id}/identity-providers",
            get(providers::list).put(providers::set).delete(providers::remove),
        )
        .route("/kernel/admin/tenants/{tenant_id}/audit/events", get(audit::list))
        .route("/kernel/admin/tenants/{tenant_id}/dead-letters", get(dead_letters::list))
        .route("/kernel/admin/agents", get(agents::list))
        .route("/kernel/admin/agents/{runtime_id}", get(agents::show))
        .route("/kernel/admin/agents/{runtime_id}/standing", put(agents::hold))
        .route("/kernel/admin/enroll-tokens", get(enroll_tokens::list).post(enroll_tokens::create))
        .route("/kernel/admin/enroll-tokens/{token_id}", delete(enroll_tokens::revoke))
        .route("/kernel/admin/trust", get(trust::show).post(trust::install))
        .route("/kernel/admin/bundles", post(bundles::upload))
        .route("/kernel/admin/ledger", get(ledger::show).post(ledger::upload))
        .route("/kernel/admin/audit/verify", get(verify::verify))
        .route("/kernel/admin/alerts", get(alerts::list))
        .route("/kernel/admin/alerts/{alert_id}/acknowledge", post(alerts::acknowledge))
        .with_state(plane)
}

/// Reads what follows the question mark.
fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    let read = Query::<T>::try_from_uri(uri);
    read.map(|Query(asked)| asked)
        .map_err(|error| Refusal::new(Code::UsageInvalid, error.to_string()))
}

/// Reads an id out of the path.
fn id<I: std::str::FromStr<Err = IdError>>(name: &str, text: &str) -> Result<I, Refusal> {
    text.parse().map_err(|error| Refusal::new(Code::UsageInvalid, format!("{name}: {error}")))
}

/// Reads a body of JSON.
async fn body<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Refusal> {
    let limits = Limits::STANDARD;
    let bytes = farhold_api::read(headers, body, limits.body_bytes, limits.body_time).await?;
    farhold_api::parse(&bytes)
}

/// Reads a body that is not JSON, or is held to its own rules: a root, a bundle.
async fn raw_body(body: Body, most: usize, too_large: Code) -> Result<Bytes, Refusal> {
    let whole = Limited::new(body, most).collect();
    let read = timeout(Limits::STANDARD.body_time, whole).await;
    match read.map_err(|_elapsed| Code::RequestTimeout)? {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Refusal::new(too_large, format!("at most {most} bytes are read")))
        }
        Err(_) => Err(Refusal::new(Code::RequestMalformed, "the body ends before its length")),
    }
}

/// What the storage says, as a refusal that names what is not there, or there already.
fn refusal(error: StorageError) -> Refusal {
    match error {
        StorageError::Unknown { what } => {
            Refusal::new(Code::RequestNotFound, format!("this Kernel has no such {what}"))
        }
        StorageError::Exists { what } => {
            Refusal::new(Code::UsageInvalid, format!("there is such a {what} already"))
        }
        error => stored(error),
    }
}
