//! What a clock reset has set aside: documents that prove no date (`bundle.md` §5.6).

use farhold_bundle::{SetAside, Standing};
use farhold_store::{Store, StoreError};

/// Under which name the store keeps the documents set aside.
pub(crate) const SET_ASIDE: &str = "clock_set_aside";

/// Under which name a store of before this was kept has the time of the last clock reset: whatever
/// was dated later was set aside, also what came after it.
const DATED_BY: &str = "clock_dated_by";

/// What is set aside of what stands.
pub(super) fn set_aside(store: &Store, standing: &Standing) -> Result<SetAside, StoreError> {
    if let Some(known) = store.own::<SetAside>(SET_ASIDE)? {
        return Ok(standing.still_set_aside(&known));
    }
    let dated_by = store.own(DATED_BY)?;
    Ok(dated_by.map_or_else(SetAside::new, |time| standing.dated_after(time)))
}
