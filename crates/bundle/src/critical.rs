//! Critical names: what a reader must know to take a document.

use serde::{Deserialize, Serialize};

use crate::{error::PayloadError, payload::DocumentType};

/// A member or rule that must not be ignored, and the first agent version that knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Critical {
    /// Its name.
    pub name: String,
    /// The first version of the agent that knows it.
    pub since: String,
}

/// The critical names this version knows: none has been defined yet.
const KNOWN: [&str; 0] = [];

/// The member of a payload that lists them, wherever it is one of a known type.
#[derive(Deserialize)]
struct CriticalOnly {
    #[serde(default)]
    critical: Vec<Critical>,
}

/// Refuses a payload that names something unknown (`bundle.md` §1.7).
///
/// It runs before the typed reading: a future member may change what the others mean, and a
/// reader that can't take the document should say "update", not "malformed".
///
/// # Errors
/// [`PayloadError::Critical`], or [`PayloadError::Malformed`] for what is not a list of them.
pub(crate) fn check(payload: &[u8], document: DocumentType) -> Result<(), PayloadError> {
    // A list that can't be read is never taken for an empty one, also by types that have none.
    let only: CriticalOnly = serde_json::from_slice(payload)
        .map_err(|source| PayloadError::Malformed { document, source })?;
    match only.critical.into_iter().find(|critical| !KNOWN.contains(&critical.name.as_str())) {
        Some(Critical { name, since }) => Err(PayloadError::Critical { name, since }),
        None => Ok(()),
    }
}
