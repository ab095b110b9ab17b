//! The admin door: every verb that reads or changes state goes through here.
//!
//! It has a socket of its own, which only root and the agent's user may open; no route of it
//! exists on the runtimes' doors.

pub mod answer;
mod answer_of;
mod audit;
pub mod client;
mod dead_letters;
mod enroll;
mod export;
mod fingerprint;
mod import;
mod licenses;
mod queue;
mod request;
mod status;
mod tokens;
mod trust;
mod what_if;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Query,
    routing::{delete, get, post},
};
use http::Uri;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::{sync::Notify, time::timeout};

use farhold_api::{Limits, Refusal};
use farhold_contract::Code;
use farhold_store::{QueueFigures, Reader};

use crate::{
    clock::Clock, health::Health, importer::Importer, link::LinkSettings, link_board::LinkBoard,
    metrics::Metrics, owner::Owner, site::Place,
};

/// What every admin route needs.
pub struct Admin {
    /// The one who changes state.
    pub owner: Owner,
    /// What never changes.
    pub place: Arc<Place>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// What is wrong.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The one path of every bundle.
    pub importer: Arc<Importer>,
    /// How the link is.
    pub board: Arc<LinkBoard>,
    /// The way to a Kernel.
    pub link: LinkSettings,
    /// The site has changed in a way that only a new beginning takes in: it was enrolled.
    pub reopen: Notify,
}

/// The admin door's routes.
pub fn routes(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/statusz", get(status::show))
        .route("/admin/trust", get(trust::show).post(trust::install))
        .route("/admin/enroll", post(enroll::enroll))
        .route("/admin/import", post(import::import))
        .route("/admin/licenses", get(licenses::show))
        .route("/admin/what-if", get(what_if::show))
        .route("/admin/audit/tail", get(audit::tail))
        .route("/admin/audit/verify", get(audit::verify))
        .route("/admin/export", post(export::export))
        .route("/admin/fingerprint", get(fingerprint::show))
        .route("/admin/request", post(request::make))
        .route("/admin/queue", get(queue::show))
        .route("/admin/dead-letters", get(dead_letters::list))
        .route("/admin/tokens", get(tokens::list).post(tokens::create))
        .route("/admin/tokens/{token_id}", delete(tokens::revoke))
        .with_state(admin)
}

/// Reads what follows the question mark.
fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    let read = Query::<T>::try_from_uri(uri);
    read.map(|Query(asked)| asked)
        .map_err(|error| Refusal::new(Code::UsageInvalid, error.to_string()))
}

/// Reads a body that is not JSON: a root, a bundle.
async fn read(body: Body, most: usize, too_large: Code) -> Result<Bytes, Refusal> {
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

impl Admin {
    /// How the site is linked now.
    fn link(&self) -> farhold_policy::Link {
        self.board.link(self.place.mode, self.clock.read().boottime_ms)
    }

    /// Reads the database on a thread of its own: requests never wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, farhold_store::StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let state_dir = self.place.state_dir.clone();
        let reading = tokio::task::spawn_blocking(move || work(&Reader::open(&state_dir)?));
        match reading.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(error = %crate::error_chain(&error), "the database can't be read");
                Err(error.code().into())
            }
            Err(_) => Err(Code::ServerInternal.into()),
        }
    }

    /// The queue's figures, as of now.
    ///
    /// # Errors
    /// `store.unavailable` if the database can't be read.
    pub async fn queue(&self) -> Result<QueueFigures, Refusal> {
        let acknowledged_seq = self.owner.snapshot().acknowledged_seq;
        self.read(move |reader| reader.queue(acknowledged_seq)).await
    }
}
