//! Record: one link and what hangs on it, as it is stored and as it is carried.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use farhold_contract::{Code, Sha256Digest, Timestamp, id::TenantId};

use crate::{
    chain::{ChainPosition, Link, event_hash},
    class::Class,
    hex_bytes::Hex,
    limits::LIMITS,
};

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the chain keeps of it.
    pub link: Link,
    /// 16 random bytes, its own.
    pub salt: [u8; 16],
    /// The event's JSON after redaction, byte for byte.
    pub event: Vec<u8>,
}

/// The event's bytes are not UTF-8: they can't be carried. [`crate::inspect`] lets none in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored event is not UTF-8")]
pub struct NotText;

impl Record {
    /// Links an event to a chain.
    pub fn append(
        position: &mut ChainPosition,
        recorded_at: Timestamp,
        tenant_id: TenantId,
        class: Class,
        salt: [u8; 16],
        event: Vec<u8>,
    ) -> Self {
        let hash = event_hash(&salt, &event);
        Self { link: position.append(recorded_at, tenant_id, class, hash), salt, event }
    }

    /// The record as one reader may see it.
    ///
    /// # Errors
    /// [`NotText`] if the bytes were damaged where they are stored.
    pub fn wire(&self, withhold: Withhold) -> Result<WireRecord<'_>, NotText> {
        let body = match withhold.of(self.link.tenant_id) {
            Some(why) => Body::Withheld(why),
            None => {
                let event = std::str::from_utf8(&self.event).map_err(|_| NotText)?;
                Body::Kept { salt: self.salt, event: Cow::Borrowed(event) }
            }
        };
        Ok(WireRecord { link: self.link, body })
    }
}

/// Whose events an export leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withhold {
    /// Nobody's.
    Nothing,
    /// Everybody's but this tenant's.
    OthersThan(TenantId),
}

impl Withhold {
    /// Why this tenant's events are left out, if they are.
    pub fn of(self, tenant_id: TenantId) -> Option<Withheld> {
        match self {
            Self::OthersThan(wanted) if wanted != tenant_id => Some(Withheld::OtherTenant),
            Self::Nothing | Self::OthersThan(_) => None,
        }
    }
}

/// A record on the wire and in an export file: one line (`bundle.md` §6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRecord<'a> {
    /// What the chain keeps of it.
    pub link: Link,
    /// The event, or why it is not there.
    pub body: Body<'a>,
}

/// The event of a record, or why it is not there. The chain verifies either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// It is there.
    Kept {
        /// The record's salt.
        salt: [u8; 16],
        /// The event's bytes.
        event: Cow<'a, str>,
    },
    /// It is not.
    Withheld(Withheld),
}

/// Why a record comes without its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The export is for one tenant, and it is another's.
    OtherTenant,
    /// It was erased on request.
    Erased,
    /// It was kept as long as it had to be.
    Expired,
}

/// Why a line is not a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is longer than a record line may be.
    #[error("it is {bytes} bytes long; at most {limit} are read")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// It does not end in a line feed.
    #[error("it does not end in a line feed: the file was cut off")]
    Unterminated,
    /// It ends in a carriage return and a line feed.
    #[error("it ends in CRLF: something rewrote the file's line ends")]
    CarriageReturn,
    /// It is not JSON, or not a record's.
    #[error("it is not a record")]
    Malformed(#[source] serde_json::Error),
    /// It has neither an event nor a word on why not, or both.
    #[error("it must have salt and event, or withheld")]
    Body,
    /// It says what a record says, but is written in another way.
    #[error("it is not written as records are: something rewrote the file")]
    Spelling,
}

impl RecordError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            // What was cut off is missing, and so is whatever came after it.
            Self::Unterminated => Code::AuditGap,
            Self::TooLong { .. }
            | Self::CarriageReturn
            | Self::Malformed(_)
            | Self::Body
            | Self::Spelling => Code::ChainBroken,
        }
    }
}

impl<'a> WireRecord<'a> {
    /// Appends the record's line, its line feed included.
    pub fn to_line(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(&mut *out, &Line::of(self))
            .expect("a record's members always serialize, and memory takes every write");
        out.push(b'\n');
    }

    /// Reads one line, its line feed included. A record has one spelling: what [`Self::to_line`]
    /// would not write is refused, so that no bit of a line can change unseen.
    ///
    /// # Errors
    /// [`RecordError`] names how it differs. Whether the record is true is the chain's to say.
    pub fn parse(line: &'a [u8]) -> Result<Self, RecordError> {
        if line.len() > LIMITS.line_bytes {
            return Err(RecordError::TooLong { bytes: line.len(), limit: LIMITS.line_bytes });
        }
        let content = line.strip_suffix(b"\n").ok_or(RecordError::Unterminated)?;
        if content.ends_with(b"\r") {
            return Err(RecordError::CarriageReturn);
        }
        let record: Line<'a> = serde_json::from_slice(content).map_err(RecordError::Malformed)?;
        let record = record.into_record()?;
        let mut again = Vec::with_capacity(line.len());
        record.to_line(&mut again);
        if again == line { Ok(record) } else { Err(RecordError::Spelling) }
    }
}

/// The members of a line, in their order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    seq: u64,
    recorded_at: Timestamp,
    tenant_id: TenantId,
    class: Class,
    event_hash: Hex<32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<Hex<16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<Withheld>,
}

impl<'a> Line<'a> {
    fn of(record: &'a WireRecord<'_>) -> Self {
        let (salt, event, withheld) = match &record.body {
            Body::Kept { salt, event } => (Some(Hex(*salt)), Some(Cow::Borrowed(&**event)), None),
            Body::Withheld(why) => (None, None, Some(*why)),
        };
        let link = &record.link;
        Self {
            seq: link.seq,
            recorded_at: link.recorded_at,
            tenant_id: link.tenant_id,
            class: link.class,
            event_hash: Hex(*link.event_hash.as_bytes()),
            salt,
            event,
            withheld,
        }
    }

    fn into_record(self) -> Result<WireRecord<'a>, RecordError> {
        let body = match (self.salt, self.event, self.withheld) {
            (Some(salt), Some(event), None) => Body::Kept { salt: salt.0, event },
            (None, None, Some(why)) => Body::Withheld(why),
            _ => return Err(RecordError::Body),
        };
        let link = Link {
            seq: self.seq,
            recorded_at: self.recorded_at,
            tenant_id: self.tenant_id,
            class: self.class,
            event_hash: Sha256Digest::new(self.event_hash.0),
        };
        Ok(WireRecord { link, body })
    }
}
