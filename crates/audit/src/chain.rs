//! Chain: what makes a change, an omission or another order visible (`bundle.md` §6).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use farhold_bundle::{KeyId, payload::Checkpoint};
use farhold_contract::{
    Sha256Digest, Timestamp,
    digest::{DigestError, decode_lower_hex},
    id::TenantId,
};

use crate::{class::Class, hex_bytes::Hex};

const EVENT_DOMAIN: &[u8] = b"farhold.event.v1\0";
const EPOCH_DOMAIN: &[u8] = b"farhold.epoch.v1\0";
const RECORD_DOMAIN: &[u8] = b"farhold.record.v1\0";

/// The hash of one event under its salt: without the salt nobody can test a guess at the event.
pub fn event_hash(salt: &[u8; 16], event: &[u8]) -> Sha256Digest {
    hash(&[EVENT_DOMAIN, salt, event])
}

/// The head after `link`, if `head` is the one before it.
pub fn next_head(head: &Head, link: &Link) -> Head {
    Head(hash(&[
        RECORD_DOMAIN,
        head.as_bytes(),
        &link.seq.to_be_bytes(),
        &link.recorded_at.as_ms().to_be_bytes(),
        link.tenant_id.as_bytes(),
        &[link.class.as_u8()],
        link.event_hash.as_bytes(),
    ]))
}

fn hash(parts: &[&[u8]]) -> Sha256Digest {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    Sha256Digest::new(hasher.finalize().into())
}

/// One numbering of records: 16 random bytes, new only with a new or salvaged store or a new
/// device key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch([u8; 16]);

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 32 lower-case hexadecimal digits")]
pub struct EpochError;

impl Epoch {
    /// No epoch: what stands before a device's first.
    pub const NONE: Self = Self([0; 16]);

    /// Takes 16 bytes over as an epoch.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The epoch's 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What everything recorded so far comes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Head(Sha256Digest);

impl Head {
    /// No head: what stands before a device's first epoch.
    pub const NONE: Self = Self::new([0; 32]);

    /// Takes 32 bytes over as a head.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Sha256Digest::new(bytes))
    }

    /// The head's 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// How an epoch begins: every device, epoch and past gives another first head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opening {
    /// The agent's key.
    pub device_key_id: KeyId,
    /// The epoch that begins.
    pub epoch: Epoch,
    /// Where the chain stood before.
    pub previous: Previous,
}

/// Where the chain stood when an epoch was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Previous {
    /// The epoch before.
    pub epoch: Epoch,
    /// Its last record known; 0 for none.
    pub seq: u64,
    /// The head after that record.
    pub head: Head,
}

impl Opening {
    /// The opening that a checkpoint states.
    ///
    /// # Errors
    /// [`EpochError`] if it does not name its epochs in lower-case hex; a verified one does.
    pub fn of(checkpoint: &Checkpoint) -> Result<Self, EpochError> {
        let before = &checkpoint.opened_after;
        Ok(Self {
            device_key_id: checkpoint.device_key.id(),
            epoch: checkpoint.epoch.parse()?,
            previous: Previous {
                epoch: before.epoch.parse()?,
                seq: before.seq.as_u64(),
                head: before.head.into(),
            },
        })
    }

    /// The head before the epoch's first record: `open` of bundle.md §6.
    pub fn head(&self) -> Head {
        Head(hash(&[
            EPOCH_DOMAIN,
            self.device_key_id.as_bytes(),
            self.epoch.as_bytes(),
            self.previous.epoch.as_bytes(),
            &self.previous.seq.to_be_bytes(),
            self.previous.head.as_bytes(),
        ]))
    }
}

impl Previous {
    /// Nothing: the epoch is its device's first.
    pub const NONE: Self = Self { epoch: Epoch::NONE, seq: 0, head: Head::NONE };
}

/// What the chain keeps of one record, whatever becomes of its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its place in the epoch, from 1.
    pub seq: u64,
    /// When it was linked, by the agent's own time.
    pub recorded_at: Timestamp,
    /// In whose context.
    pub tenant_id: TenantId,
    /// The class of its event.
    pub class: Class,
    /// Over the salt and the event's bytes: [`event_hash`].
    pub event_hash: Sha256Digest,
}

/// Where a chain stands. A copy is a stage: what is linked to it is real once it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainPosition {
    /// The last record; 0 before the first.
    pub seq: u64,
    /// The head after it.
    pub head: Head,
}

impl ChainPosition {
    /// The beginning of an epoch.
    pub fn start(opening: &Opening) -> Self {
        Self { seq: 0, head: opening.head() }
    }

    /// Links one more event, and stands after it.
    pub fn append(
        &mut self,
        recorded_at: Timestamp,
        tenant_id: TenantId,
        class: Class,
        event_hash: Sha256Digest,
    ) -> Link {
        let link = Link { seq: self.seq + 1, recorded_at, tenant_id, class, event_hash };
        self.advance(&link);
        link
    }

    /// Stands after a link that the caller knows to be the next.
    pub(crate) fn advance(&mut self, link: &Link) {
        *self = Self { seq: link.seq, head: next_head(&self.head, link) };
    }
}

impl FromStr for Epoch {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Self, EpochError> {
        let mut bytes = [0; 16];
        decode_lower_hex(text, &mut bytes).ok_or(EpochError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch:{self}")
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Hex(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Hex::deserialize(deserializer).map(|hex| Self(hex.0))
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "head:{self}")
    }
}

impl FromStr for Head {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

impl From<Sha256Digest> for Head {
    fn from(digest: Sha256Digest) -> Self {
        Self(digest)
    }
}

impl From<Head> for Sha256Digest {
    fn from(head: Head) -> Self {
        head.0
    }
}
