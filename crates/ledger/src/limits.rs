//! What a ledger is held to, and why.

use std::time::Duration;

/// Limits of the format.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest line with its line feed, in bytes: sixteen signers, a fingerprint and a reason fit
    /// many times over, and a reader needs no more memory than this.
    pub line_bytes: usize,
    /// Longest reason, in bytes: a sentence or two.
    pub reason_bytes: usize,
    /// How far clocks of several desks may be apart: as every rule about clocks has it (`bundle.md`
    /// §5).
    pub clocks_apart: Duration,
}

/// The limits (`specs/ledger.md` §1, §3).
pub const LIMITS: Limits = Limits {
    line_bytes: 64 * 1024,
    reason_bytes: 1024,
    clocks_apart: Duration::from_secs(24 * 60 * 60),
};
