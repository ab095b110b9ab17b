//! Look: every component as it was read at one moment.

use std::collections::BTreeMap;

use super::{
    environment::Environment,
    reading::{RawValue, Reading},
};

/// Every component as it was read at one moment. It holds raw values: neither kept nor sent.
#[derive(Clone)]
pub struct Look {
    /// Each component by its name; a bare family (`nic`) where none of it can be read.
    pub readings: BTreeMap<String, Reading<RawValue>>,
    /// The processor's model: shown, never counted.
    pub cpu_model: Option<String>,
    /// What kind of machine it seems to be.
    pub environment: Environment,
}
