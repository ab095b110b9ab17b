//! What a ledger is held to, and why.

/// Limits of the format.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest line with its line feed, in bytes: sixteen signers, a fingerprint and a reason fit
    /// many times over, and a reader needs no more memory than this.
    pub line_bytes: usize,
    /// Longest reason, in bytes: a sentence or two.
    pub reason_bytes: usize,
}

/// The limits (`specs/ledger.md` §1).
pub const LIMITS: Limits = Limits { line_bytes: 64 * 1024, reason_bytes: 1024 };
