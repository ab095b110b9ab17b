//! The clock and new ids: the only place of the tool that knows either.

use uuid::Uuid;

use farhold_bundle::Standing;
use farhold_contract::{Timestamp, id::IdError};

use crate::dated;

/// The system clock, to the second: documents carry no fractions.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::from(jiff::Timestamp::now());
    Timestamp::from_ms(now.as_ms() / 1000 * 1000)
}

/// Whether a time lies farther ahead of the system clock than the rules about clocks allow
/// (`bundle.md` §5).
pub(crate) fn is_far_ahead(time: Timestamp) -> bool {
    dated::is_far_ahead(time, now())
}

/// What should be known of a document that is dated far ahead of the system clock.
pub(crate) fn ahead(dated: Timestamp) -> Option<String> {
    dated::ahead("it", dated, now())
}

/// The same of every document that stands.
pub(crate) fn ahead_in(standing: &Standing) -> Vec<String> {
    dated::ahead_in(standing, now())
}

/// A new identifier of the kind that `from_uuid` makes.
pub(crate) fn new_id<T>(from_uuid: impl FnOnce(Uuid) -> Result<T, IdError>) -> T {
    from_uuid(Uuid::now_v7()).expect("a new UUIDv7 is of version 7")
}
