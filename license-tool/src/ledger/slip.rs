//! Slip: what a break-glass issue leaves for the ledger that was not at hand.

use serde::{Deserialize, Serialize};

use farhold_bundle::{Envelope, TrustRoot, Verified, payload::License};
use farhold_contract::{Code, Timestamp};
use farhold_ledger::{Issue, LIMITS};

use crate::{assemble::open_lines, refusal::Refusal};

/// Longest reason, in bytes.
pub const REASON_MAX_BYTES: usize = LIMITS.reason_bytes;

/// A license issued without the ledger, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slip {
    /// The version of the format: 1.
    farhold_slip: u8,
    /// When it was issued.
    pub at: Timestamp,
    /// Why without the ledger.
    pub reason: String,
    /// The license's line: the slip proves itself by its signature.
    pub license: String,
}

/// What was found in a file that is to be entered.
#[derive(Debug)]
pub enum Found {
    /// A slip, with its reason.
    Slip(Verified<License>, String),
    /// A license without its slip.
    License(Verified<License>),
}

impl Slip {
    /// The slip of a license.
    pub fn of(license: &Verified<License>, reason: &str) -> Self {
        Self {
            farhold_slip: 1,
            at: license.issued_at,
            reason: reason.to_owned(),
            license: String::from_utf8_lossy(license.line()).into_owned(),
        }
    }

    /// As a file holds it: one line.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("texts and times can always be written");
        bytes.push(b'\n');
        bytes
    }
}

/// Refuses a reason that says nothing or can't be kept.
///
/// # Errors
/// `usage.invalid`.
pub fn require_reason(reason: &str) -> Result<(), Refusal> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX_BYTES || reason.chars().any(char::is_control)
    {
        return Err(Refusal::usage(
            format!("the reason must be 1 to {REASON_MAX_BYTES} bytes on one line"),
            "Say in a sentence why, for whoever reads the ledger later.",
        ));
    }
    Ok(())
}

/// Opens a slip, or licenses in whatever form; each is verified under the root.
///
/// # Errors
/// `input.unreadable` for a slip of another version; `envelope.*`, `signature.*`, `payload.*`.
pub fn open_entered(root: &TrustRoot, bytes: &[u8]) -> Result<Vec<Found>, Refusal> {
    if let Ok(slip) = serde_json::from_slice::<Slip>(bytes) {
        if slip.farhold_slip != 1 {
            let what = format!("the slip is of version {}, not 1", slip.farhold_slip);
            return Err(Refusal::new(Code::InputUnreadable, what)
                .with_next("Enter it with the version of the tool that made it."));
        }
        require_reason(&slip.reason)?;
        let license = root.verify(Envelope::open(slip.license.as_bytes())?)?;
        return Ok(vec![Found::Slip(license, slip.reason)]);
    }
    let verify = |envelope| Ok(Found::License(root.verify(envelope)?));
    open_lines(bytes)?.into_iter().map(verify).collect()
}

impl Found {
    /// The license.
    pub const fn license(&self) -> &Verified<License> {
        match self {
            Self::Slip(license, _) | Self::License(license) => license,
        }
    }

    /// What the ledger keeps of it.
    pub fn issue(&self) -> Issue {
        let license = self.license();
        let keys = license.signers().iter().copied().collect();
        let mut issue = Issue::of(license.content(), license.sha256(), keys);
        if let Self::Slip(_, reason) = self {
            issue.reason = Some(reason.clone());
        }
        issue
    }
}
