//! Answers: what may be believed of one before it is read, and what a refusal says.

use std::{fmt, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use farhold_contract::{Code, Timestamp, call::batch::HeldHead};

use super::{certificate::safe_text, error::LinkFailure};

/// The longest that a Kernel can make an agent wait by `Retry-After`: a slip of a digit must not
/// silence a site.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// Longest text of a problem that is kept, in characters.
const TEXT_MAX_CHARS: usize = 1000;

/// A refusal, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The code; `None` for one of a newer Kernel, or where someone on the way answered.
    pub code: Option<Code>,
    /// The code as it was written; empty where there was none.
    pub code_text: String,
    /// What happened this time.
    pub detail: Option<String>,
    /// How long to wait; never more than an hour.
    pub retry_after: Option<Duration>,
    /// With `audit.gap`: the heads that the Kernel holds.
    pub heads: Vec<HeldHead>,
    /// The call's correlation id.
    pub correlation_id: String,
}

/// What is read of a problem; members of the wrong kind are as good as absent.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    detail: Value,
    #[serde(default)]
    heads: Value,
}

impl ProblemAnswer {
    /// Reads a refusal's body; `None` if it is no problem.
    pub(super) fn read(status: u16, body: &[u8], correlation_id: &str) -> Option<Self> {
        let form: Form = serde_json::from_slice(body).ok()?;
        let code_text = safe_text(form.code.as_str()?, TEXT_MAX_CHARS);
        Some(Self {
            code: code_text.parse().ok(),
            code_text,
            detail: form.detail.as_str().map(|detail| safe_text(detail, TEXT_MAX_CHARS)),
            heads: serde_json::from_value(form.heads).unwrap_or_default(),
            ..Self::bare(status, correlation_id)
        })
    }

    /// A refusal that says nothing but its status.
    pub(super) fn bare(status: u16, correlation_id: &str) -> Self {
        Self {
            status,
            code: None,
            code_text: String::new(),
            detail: None,
            retry_after: None,
            heads: Vec::new(),
            correlation_id: correlation_id.to_owned(),
        }
    }

    /// Whether the status says that it passes by itself.
    pub(super) fn is_passing(&self) -> bool {
        is_passing(self.status)
    }
}

impl fmt::Display for ProblemAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code_text.as_str() {
            "" => write!(f, "status {}", self.status)?,
            code => f.write_str(code)?,
        }
        match (&self.detail, self.code) {
            (Some(detail), _) => write!(f, ": {detail}")?,
            (None, Some(code)) => write!(f, ": {}", code.sentence())?,
            (None, None) => {}
        }
        write!(f, " (correlation id {})", self.correlation_id)
    }
}

/// Whether a status says that the refusal passes by itself.
pub(super) fn is_passing(status: u16) -> bool {
    status >= 500 || status == 408 || status == 429
}

/// Whether a `Content-Type` is of this media type; its parameters don't matter.
pub(super) fn is_media_type(content_type: Option<&str>, wanted: &str) -> bool {
    content_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
}

/// Reads an answer's JSON.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, LinkFailure> {
    serde_json::from_slice(body).map_err(|error| malformed_json(&error))
}

/// Names the place, never the content.
pub(super) fn malformed_json(error: &serde_json::Error) -> LinkFailure {
    let kind = if error.is_eof() { "is cut short" } else { "is not what the contract says" };
    let (line, column) = (error.line(), error.column());
    LinkFailure::Malformed { reason: format!("its JSON {kind} (line {line}, column {column})") }
}

/// Reads `Retry-After`, seconds or a date, as a bounded wait; nonsense is no wait.
pub(super) fn retry_after(value: &str, date: Option<&str>, wall: Timestamp) -> Option<Duration> {
    farhold_sync::retry_after(value, date, wall).map(|wait| wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_wait_in_seconds_and_as_a_date_is_the_same_wait() {
        assert_eq!(retry_after("120", None, now()), Some(Duration::from_secs(120)));
        let date = "Sun, 22 Nov 2026 12:02:00 GMT";
        assert_eq!(retry_after(date, None, now()), Some(Duration::from_secs(120)));
    }

    #[test]
    fn an_absurd_wait_is_an_hour_and_nonsense_is_none() {
        for absurd in ["86400", "99999999999999999999999999", "Fri, 31 Dec 9999 00:00:00 GMT"] {
            assert_eq!(retry_after(absurd, None, now()), Some(RETRY_AFTER_MAX), "{absurd}");
        }
        for past in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(retry_after(past, None, now()), Some(Duration::ZERO), "{past}");
        }
        for nonsense in ["", "-5", "1.5", "soon", "NaN", "0x10", "12 s"] {
            assert_eq!(retry_after(nonsense, None, now()), None, "{nonsense}");
        }
    }

    #[test]
    fn a_code_of_a_newer_kernel_keeps_its_text() {
        let body = br#"{"code":"moon.full","detail":"wait\u001b[2J","status":418,"heads":7}"#;
        let problem = ProblemAnswer::read(418, body, "c").unwrap();
        assert_eq!(problem.code, None);
        assert_eq!(problem.to_string(), "moon.full: wait?[2J (correlation id c)");
        assert!(ProblemAnswer::read(400, b"{}", "c").is_none());
    }
}
