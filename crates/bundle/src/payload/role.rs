//! Types of documents, and the one role that signs each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who may sign. A key has one role, and nothing else may sign anything (`bundle.md` §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Signs roots.
    Root,
    /// Signs licenses and clock resets.
    License,
    /// Signs revocations.
    Revocation,
    /// Signs receipts.
    Kernel,
    /// An agent's own key.
    Device,
}

/// The type of a document. Its version fixes the signature algorithm: Ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentType {
    /// Keys and roles.
    Root,
    /// What an organization may use.
    License,
    /// What no longer holds.
    Revocations,
    /// One repair of one agent's clock.
    ClockReset,
    /// What the vendor has of one agent's audit.
    Receipt,
    /// What an agent asks for.
    Request,
    /// What a run of audit records amounts to.
    Checkpoint,
    /// An agent's first call to a Kernel.
    Enroll,
    /// An agent's call for a new certificate.
    Renew,
}

impl DocumentType {
    /// Every type.
    pub const ALL: [Self; 9] = [
        Self::Root,
        Self::License,
        Self::Revocations,
        Self::ClockReset,
        Self::Receipt,
        Self::Request,
        Self::Checkpoint,
        Self::Enroll,
        Self::Renew,
    ];

    /// The type as envelopes name it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Root => "application/vnd.farhold.root.v1+json",
            Self::License => "application/vnd.farhold.license.v1+json",
            Self::Revocations => "application/vnd.farhold.revocations.v1+json",
            Self::ClockReset => "application/vnd.farhold.clock-reset.v1+json",
            Self::Receipt => "application/vnd.farhold.receipt.v1+json",
            Self::Request => "application/vnd.farhold.request.v1+json",
            Self::Checkpoint => "application/vnd.farhold.checkpoint.v1+json",
            Self::Enroll => "application/vnd.farhold.enroll.v1+json",
            Self::Renew => "application/vnd.farhold.renew.v1+json",
        }
    }

    /// The type that an envelope names, if it is known.
    pub fn from_media_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == text)
    }

    /// The byte that stands for the type in the typed form (`bundle.md` §8).
    pub const fn typed_byte(self) -> u8 {
        match self {
            Self::Root => 1,
            Self::License => 2,
            Self::Revocations => 3,
            Self::ClockReset => 4,
            Self::Receipt => 5,
            Self::Request => 6,
            Self::Checkpoint => 7,
            Self::Enroll => 8,
            Self::Renew => 9,
        }
    }

    /// The role whose keys sign this type.
    pub const fn signed_by(self) -> Role {
        match self {
            Self::Root => Role::Root,
            Self::License | Self::ClockReset => Role::License,
            Self::Revocations => Role::Revocation,
            Self::Receipt => Role::Kernel,
            Self::Request | Self::Checkpoint | Self::Enroll | Self::Renew => Role::Device,
        }
    }

    /// The type's short name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::License => "license",
            Self::Revocations => "revocations",
            Self::ClockReset => "clock-reset",
            Self::Receipt => "receipt",
            Self::Request => "request",
            Self::Checkpoint => "checkpoint",
            Self::Enroll => "enroll",
            Self::Renew => "renew",
        }
    }
}

impl fmt::Display for DocumentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::License => "license",
            Self::Revocation => "revocation",
            Self::Kernel => "kernel",
            Self::Device => "device",
        })
    }
}
