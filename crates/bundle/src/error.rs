//! Why bytes are not a document, and which code says so.

use farhold_contract::Code;

use crate::{
    key::KeyId,
    payload::{DocumentType, Role},
};

/// The line is not an envelope of the strict profile (`bundle.md` §1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is longer than an envelope may be.
    #[error("the line is {bytes} bytes long; at most {limit} are read")]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// It differs from the one shape at a place.
    #[error("at byte {at}: expected {expected}")]
    Shape {
        /// Offset into the line, in bytes.
        at: usize,
        /// What the one shape has there.
        expected: &'static str,
    },
    /// It has more signatures than an envelope may.
    #[error("more than {limit} signatures")]
    TooManySignatures {
        /// The most it may have.
        limit: usize,
    },
    /// Its base64 is not canonical.
    #[error("the {member} is not canonical base64")]
    Base64 {
        /// Which member.
        member: &'static str,
    },
    /// Its type is not known to this version.
    #[error("the document type {media_type:?} is not known to this version")]
    UnknownType {
        /// The type it names.
        media_type: String,
    },
}

impl EnvelopeError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::EnvelopeTooLarge,
            Self::Shape { .. } | Self::TooManySignatures { .. } | Self::Base64 { .. } => {
                Code::EnvelopeMalformed
            }
            Self::UnknownType { .. } => Code::PayloadType,
        }
    }
}

/// The signatures do not make the document its role's word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// One is by a key that is not listed anywhere.
    #[error("signature by key {key}, which the trust root does not list")]
    UnknownKey {
        /// The key.
        key: KeyId,
    },
    /// One is by a revoked key.
    #[error("signature by key {key}, which is revoked")]
    RevokedKey {
        /// The key.
        key: KeyId,
    },
    /// One is by a key of another role.
    #[error("signature by key {key} of role {actual}; a {document} is signed by role {required}")]
    WrongRole {
        /// The key.
        key: KeyId,
        /// The role it has.
        actual: Role,
        /// The role it would need.
        required: Role,
        /// The type of the document.
        document: DocumentType,
    },
    /// One key signed twice.
    #[error("key {key} signed twice")]
    DuplicateKey {
        /// The key.
        key: KeyId,
    },
    /// One does not hold.
    #[error("the signature by key {key} does not hold")]
    Invalid {
        /// The key.
        key: KeyId,
    },
    /// Too few keys signed.
    #[error("signed by {valid} keys of role {role}; {required} are required")]
    Threshold {
        /// The role.
        role: Role,
        /// How many of its keys signed.
        valid: u64,
        /// How many must.
        required: u64,
    },
}

impl SignatureError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownKey { .. } => Code::SignatureKeyUnknown,
            Self::RevokedKey { .. } => Code::SignatureKeyRevoked,
            Self::WrongRole { .. } => Code::SignatureWrongRole,
            Self::DuplicateKey { .. } | Self::Invalid { .. } => Code::SignatureInvalid,
            Self::Threshold { .. } => Code::SignatureThreshold,
        }
    }
}

/// Proven bytes do not say what their type says.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// An object has a key twice.
    #[error("the payload has the key {key:?} twice in one object")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// It nests too deeply.
    #[error("the payload nests deeper than {limit}")]
    TooDeep {
        /// The deepest that is read.
        limit: usize,
    },
    /// A number is beyond ±(2^53 − 1).
    #[error("the payload has a number beyond 2^53 - 1")]
    Number,
    /// A value is `null`: what is not there is left out.
    #[error("the payload has a null; what is not there is left out")]
    Null,
    /// It is not JSON, or not this type's.
    #[error("not the payload of a {document}")]
    Malformed {
        /// The type.
        document: DocumentType,
        /// What the reader said.
        #[source]
        source: serde_json::Error,
    },
    /// A member is wrong.
    #[error("{member} {why}")]
    Invalid {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It needs what this version does not know.
    #[error("{name} needs agent ≥ {since}")]
    Critical {
        /// What it needs.
        name: String,
        /// The first version that knows it.
        since: String,
    },
    /// The envelope names another type.
    #[error("the document is a {actual}, not a {expected}")]
    OtherType {
        /// The type it is.
        actual: DocumentType,
        /// The type that was asked for.
        expected: DocumentType,
    },
}

impl PayloadError {
    pub(crate) const fn invalid(member: &'static str, why: &'static str) -> Self {
        Self::Invalid { member, why }
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Critical { .. } => Code::PayloadCritical,
            Self::OtherType { .. } => Code::PayloadType,
            Self::DuplicateKey { .. }
            | Self::TooDeep { .. }
            | Self::Number
            | Self::Null
            | Self::Malformed { .. }
            | Self::Invalid { .. } => Code::PayloadMalformed,
        }
    }
}

/// Whoever holds the key gave no signature of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key {key} did not sign: {why}")]
pub struct Unsigned {
    /// The key.
    pub key: KeyId,
    /// What its holder said.
    pub why: String,
}

impl Unsigned {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        Code::KeyModule
    }
}

/// Why a line or a bundle is refused: one code, and what happened this time.
#[derive(Debug, thiserror::Error)]
pub enum RefusalReason {
    /// Not an envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Not signed as it must be.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Not saying what its type says.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Not signed at all: its key is out of reach.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// Genuine, but refused, or out of order.
    #[error("{detail}")]
    Rule {
        /// The code of the closed list.
        code: Code,
        /// What happened this time.
        detail: String,
    },
}

impl RefusalReason {
    pub(crate) fn rule(code: Code, detail: impl Into<String>) -> Self {
        Self::Rule { code, detail: detail.into() }
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Envelope(error) => error.code(),
            Self::Signature(error) => error.code(),
            Self::Payload(error) => error.code(),
            Self::Unsigned(error) => error.code(),
            Self::Rule { code, .. } => *code,
        }
    }
}
