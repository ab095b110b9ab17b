//! The clock and new ids: the only place of the tool that knows either.

use uuid::Uuid;

use farhold_contract::{Timestamp, id::IdError};

/// The system clock, to the second: documents carry no fractions.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::from(jiff::Timestamp::now());
    Timestamp::from_ms(now.as_ms() / 1000 * 1000)
}

/// A new identifier of the kind that `from_uuid` makes.
pub(crate) fn new_id<T>(from_uuid: impl FnOnce(Uuid) -> Result<T, IdError>) -> T {
    from_uuid(Uuid::now_v7()).expect("a new UUIDv7 is of version 7")
}
