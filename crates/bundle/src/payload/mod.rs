//! What documents say: one type a file, and who may sign it.

mod checkpoint;
mod clock_reset;
mod enroll;
mod license;
mod receipt;
mod renew;
mod request;
mod revocations;
mod role;
mod root;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::{error::PayloadError, limits::LIMITS};

pub use checkpoint::{Checkpoint, OpenedAfter};
pub use clock_reset::ClockReset;
pub use enroll::Enroll;
pub use license::{
    AuditRules, Binding, DecisionRecord, Entitlement, FingerprintBinding, Flag, FlagValue, Ladder,
    License, LicenseLimits, Needs, SiteMode, Telemetry, WhenFull,
};
pub use receipt::Receipt;
pub use renew::Renew;
pub use request::{LicenseRef, Request, RootRef, UsageReport};
pub use revocations::{Revocations, SerialsBelow};
pub use role::{DocumentType, Role};
pub use root::{Issuer, RoleKeys, Roles, Root, RootKey};

/// The content of one type of document.
pub trait Payload: DeserializeOwned + serde::Serialize {
    /// The type that the envelope must name.
    const TYPE: DocumentType;

    /// What JSON and types can't say: `bundle.md` §2–§7, the type's own rules.
    ///
    /// # Errors
    /// [`PayloadError::Invalid`] names the member and what is wrong with it.
    fn check(&self) -> Result<(), PayloadError>;
}

/// Longest text someone reads, in bytes: `issued_to`, the names of issuers and keys, versions.
const TEXT_MAX_BYTES: usize = 256;
/// Longest name programs compare, in bytes: products, features, keys of flags.
const NAME_MAX_BYTES: usize = 128;

/// A text someone reads: not empty, bounded, without control characters.
fn check_text(member: &'static str, text: &str) -> Result<(), PayloadError> {
    if text.is_empty() || text.len() > TEXT_MAX_BYTES || text.chars().any(char::is_control) {
        return Err(PayloadError::invalid(
            member,
            "must be 1 to 256 bytes without control characters",
        ));
    }
    Ok(())
}

/// A name programs compare: products, features, flags.
fn check_name(member: &'static str, name: &str) -> Result<(), PayloadError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
    if name.is_empty() || name.len() > NAME_MAX_BYTES || !name.bytes().all(plain) {
        return Err(PayloadError::invalid(member, "must be 1 to 128 of A-Z a-z 0-9 . _ - : /"));
    }
    Ok(())
}

/// A machine's components: bounded, each a name and the first 8 bytes of its hash.
fn check_components(
    member: &'static str,
    components: &BTreeMap<String, String>,
) -> Result<(), PayloadError> {
    if components.len() > LIMITS.components {
        return Err(PayloadError::invalid(member, "has more than 64 components"));
    }
    components.iter().try_for_each(|(name, hash)| {
        check_name(member, name)?;
        check_hex(member, hash, 8)
    })
}

/// Bytes written as lower-case hex.
fn check_hex(member: &'static str, text: &str, bytes: usize) -> Result<(), PayloadError> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != bytes * 2 || !text.bytes().all(hex) {
        return Err(PayloadError::invalid(member, "must be lower-case hex of the right length"));
    }
    Ok(())
}
