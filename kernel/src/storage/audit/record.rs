//! Record: what is kept of one, with what is made of its content.

use farhold_audit::{Head, Link, Withheld};
use farhold_contract::{
    Code,
    id::{EventId, RuntimeId, TenantId},
};

/// A record that its device signed, with what is to be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenRecord {
    /// What the chain keeps of it.
    pub link: Link,
    /// The head after it.
    pub head: Head,
    /// Its event, or why it is not there.
    pub body: TakenBody,
    /// What its event is found by; none where the content is refused or withheld.
    pub event: Option<EventIdentity>,
    /// Why its content is not taken in, if it is not.
    pub refused: Option<Refused>,
}

/// A record's event, or why it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenBody {
    /// The event.
    Kept {
        /// What its hash was salted with.
        salt: [u8; 16],
        /// Its bytes.
        event: Vec<u8>,
    },
    /// It did not come.
    Withheld(Withheld),
}

/// What an event is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventIdentity {
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub kind: String,
    /// The runtime it names, if one.
    pub runtime_id: Option<RuntimeId>,
}

/// Why a record's content is not taken in; the record stays in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code.
    pub code: Code,
    /// What is wrong with it.
    pub detail: String,
    /// Among whose dead letters it is listed: a foreign record's among its agent's own.
    pub listed_under: TenantId,
}
