//! Refusal: why a call was not answered, on its way to a problem document.

use std::time::Duration;

use axum::{body::Body, response::Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};

use farhold_contract::{Code, Problem, problem};

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct Refusal {
    /// The code of the closed list.
    pub code: Code,
    /// What happened this time, for the caller; never a secret, never the body's own words.
    pub detail: Option<String>,
    /// After how long repeating may help; sent in whole seconds, rounded up.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal that says what happened this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: Some(detail.into()), retry_after: None }
    }

    /// The same refusal, worth repeating after `wait`.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The refusal as a problem document; `correlation_id` is the call's, where it had one.
    pub(crate) fn into_response(self, correlation_id: Option<&str>) -> Response {
        let mut problem = Problem::new(self.code, self.detail);
        problem.correlation_id = correlation_id.map(str::to_owned);
        // Strings and numbers alone: writing them can't fail, and an empty body still has a code.
        let body = serde_json::to_vec(&problem).unwrap_or_default();

        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
        match response.status() {
            // RFC 9110 §15.5.2: a 401 names the scheme it wants.
            StatusCode::UNAUTHORIZED => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // The rest of such a body would be read as the next request.
            StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds_up(wait)));
        }
        response
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, detail: None, retry_after: None }
    }
}

/// Whole seconds, rounded up: a caller told 0 would come back at once.
fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        let sent = |wait| {
            let response =
                Refusal::from(Code::ServerOverloaded).after(wait).into_response(Some("c-1"));
            response.headers()[RETRY_AFTER].to_str().unwrap().to_owned()
        };
        assert_eq!(sent(Duration::from_millis(1)), "1");
        assert_eq!(sent(Duration::from_secs(2)), "2");
        assert_eq!(sent(Duration::from_millis(2_001)), "3");
        assert_eq!(sent(Duration::MAX), u64::MAX.to_string());
    }

    #[test]
    fn a_refusal_prints_its_code_and_nothing_of_the_call() {
        assert_eq!(
            Refusal::new(Code::TenantMismatch, "said to the caller").to_string(),
            "tenant.mismatch"
        );
    }
}
