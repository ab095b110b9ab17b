//! The agents' own calls (contract v0.2 §8): how one becomes, stays and is kept up to date as the
//! Kernel's delegate.

mod bundle;
pub(crate) mod caller;
pub(crate) mod enroll;
pub(crate) mod head;
mod renew;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::control_plane::ControlPlane;

/// Bytes of an enrollment or a renewal: a certificate request of some 300 and what is around it.
const BODY_BYTES: usize = 64 << 10;

/// Enroll, renew and bundle.
pub fn routes(plane: Arc<ControlPlane>) -> Router {
    Router::new()
        .route("/kernel/agents/enroll", post(enroll::enroll))
        .route("/kernel/agents/{runtime_id}/certificate", post(renew::renew))
        .route("/kernel/agents/{runtime_id}/bundle", get(bundle::pull))
        .with_state(plane)
}
