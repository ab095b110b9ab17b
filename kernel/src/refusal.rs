//! Refusal: what a caller hears when the storage does not answer.

use std::time::Duration;

use farhold_api::Refusal;

use crate::storage::StorageError;

/// After how long a caller may come again when there is too much to do.
pub(crate) const COME_AGAIN: Duration = Duration::from_secs(2);

/// A storage's error for a caller; its reasons are logged here and told to nobody.
pub(crate) fn stored(error: StorageError) -> Refusal {
    let refusal = Refusal::from(error.code());
    if error.is_retryable() {
        return refusal.after(COME_AGAIN);
    }
    tracing::error!(
        error.code = error.code().as_str(),
        error = %crate::error_chain(&error),
        "the storage did not do what a call asked for"
    );
    refusal
}
