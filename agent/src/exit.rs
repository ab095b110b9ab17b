//! How a verb, or the agent itself, ends badly: the codes of the agent's own errors.
//!
//! A [`Failure`] names its code itself; every other error on the way up is context.

use std::error::Error;

use farhold_bundle::{ImportRefusal, RefusalReason};
use farhold_contract::Code;
use farhold_keys::KeyError;
use farhold_store::StoreError;
use farhold_terminal::Known;

use crate::{config::ConfigError, site::SiteError};

pub use farhold_terminal::Failure;

/// What is known of an error of the agent's own.
pub fn known(error: &(dyn Error + 'static)) -> Option<Known> {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        let action = Some(error.next_action().to_owned());
        return Some(Known { code: error.code(), action });
    }
    code_of(error).map(Known::from)
}

/// The code of an error whose code's next action is all there is to say.
fn code_of(error: &(dyn Error + 'static)) -> Option<Code> {
    if let Some(error) = error.downcast_ref::<SiteError>() {
        return Some(error.code());
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return Some(error.code());
    }
    if let Some(error) = error.downcast_ref::<KeyError>() {
        return Some(error.code());
    }
    if let Some(refusal) = error.downcast_ref::<ImportRefusal>() {
        return Some(refusal.code());
    }
    error.downcast_ref::<RefusalReason>().map(RefusalReason::code)
}
