//! The least a check can cost: read the body, answer with the bytes of a real answer.

use axum::{
    Router,
    body::Bytes,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};

use crate::bench::CHECK_PATH;

pub(super) fn router(answer: Vec<u8>) -> Router {
    let answer = Bytes::from(answer);
    let handler = move |_asked: Bytes| {
        let answer = answer.clone();
        async move { answered(answer) }
    };
    Router::new().route(CHECK_PATH, post(handler))
}

fn answered(body: Bytes) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
