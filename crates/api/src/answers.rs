//! Answers: what a server answers requests with.

use std::{future::Future, sync::Arc};

use axum::{Router, extract::Request, response::Response};
use http::Method;
use tower::Service as _;

use crate::{
    handler::check::{self, check_at},
    kernel::Kernel,
    limits::Limits,
    router::Door,
};

/// What a server answers requests with.
pub trait Answers: Clone + Send + Sync + 'static {
    /// The answer to one request; a refusal is one, too.
    fn answer(&self, request: Request) -> impl Future<Output = Response> + Send;
}

impl Answers for Router {
    async fn answer(&self, request: Request) -> Response {
        let mut router = self.clone();
        match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// A router with the check in front of it: the call asked most pays for no routing.
pub struct CheckFirst<K> {
    door: Door<K>,
    router: Router,
}

impl<K: Kernel> CheckFirst<K> {
    /// `router` serves every call, checks too; it is asked for all that is not plainly a check.
    pub fn new(kernel: Arc<K>, limits: &Limits, router: Router) -> Self {
        Self { door: Door::new(kernel, limits), router }
    }
}

impl<K: Kernel> Answers for CheckFirst<K> {
    async fn answer(&self, request: Request) -> Response {
        if request.method() == Method::POST && request.uri().path() == check::PATH {
            return check_at(&self.door, request).await;
        }
        self.router.answer(request).await
    }
}

impl<K> Clone for CheckFirst<K> {
    fn clone(&self) -> Self {
        Self { door: self.door.clone(), router: self.router.clone() }
    }
}
