//! What an import did, or would do.

use serde::{Deserialize, Serialize};

use farhold_contract::Sha256Digest;

use super::changes::ChangesAnswer;

/// `POST /admin/import?dry_run=&expect=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// `false` for a dry run.
    pub applied: bool,
    /// SHA-256 of the bundle's bytes: what `import --expect` takes.
    pub bundle_sha256: Sha256Digest,
    /// What each line is.
    pub lines: Vec<LineAnswer>,
    /// What falls with a revoked key, named for people.
    pub fallen: Vec<String>,
    /// What it changes: old to new, and who is affected.
    #[serde(default)]
    pub changes: ChangesAnswer,
}

/// One line of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineAnswer {
    /// Its number, from 1.
    pub line: usize,
    /// Its type.
    pub document: String,
    /// Type and number, for people.
    pub name: String,
    /// `new`, `known` or `superseded`.
    pub outcome: String,
}
