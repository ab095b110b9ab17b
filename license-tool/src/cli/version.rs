//! `version`: which build this is.

use serde_json::json;

use super::page::Page;
use crate::refusal::Refusal;

/// Says the version.
pub(crate) fn run() -> Result<Page, Refusal> {
    let version = env!("CARGO_PKG_VERSION");
    Ok(Page::new(
        format!("license-tool {version}\n"),
        json!({ "name": "license-tool", "version": version }),
    ))
}
