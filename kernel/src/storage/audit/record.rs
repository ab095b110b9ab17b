//! Record: what is kept of one, with what is made of its content.

use rusqlite::{Row, types::ValueRef};

use farhold_audit::{Class, Head, Link, Withheld};
use farhold_contract::{
    Code,
    id::{EventId, RuntimeId, TenantId},
};

use super::super::column::{get, word};

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

/// What [`refused`] reads.
pub(super) const REFUSED: &str = "refused_code, refused_why,
     (SELECT tenant_id FROM record_tenant WHERE id = refused_under)";

/// Why a record's content was refused, if it was: three columns from `first` on.
pub(super) fn refused(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Refused>> {
    if row.get_ref(first)? == ValueRef::Null {
        return Ok(None);
    }
    let (detail, listed_under) = (row.get(first + 1)?, get(row, first + 2)?);
    Ok(Some(Refused { code: word(row, first)?, detail, listed_under }))
}

/// Reads a column that holds a class.
pub(super) fn class(row: &Row<'_>, index: usize) -> rusqlite::Result<Class> {
    let number: u8 = row.get(index)?;
    Class::from_u8(number)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number.into()))
}
