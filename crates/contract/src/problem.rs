//! Errors on the wire: RFC 9457 `application/problem+json` with a stable dotted code.

use serde::{Deserialize, Serialize};

use crate::code::Code;

/// The media type of every error answer.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One error as a caller reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI reference for the code's page.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code's sentence; the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable, dotted code.
    pub code: Code,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do next.
    pub action: String,
    /// The call's correlation id, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl Problem {
    /// The problem of `code`, with what happened this time if there is more to say.
    pub fn new(code: Code, detail: Option<String>) -> Self {
        Self {
            kind: format!("urn:farhold:code:{}", code.as_str()),
            title: code.sentence().to_owned(),
            status: code.status(),
            code,
            detail,
            action: code.action().to_owned(),
            correlation_id: None,
        }
    }
}
