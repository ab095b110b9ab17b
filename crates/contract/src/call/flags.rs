//! `GET /kernel/flags`: how the vendor has set a product's switches (v0.2).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The flags in force for a runtime.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagsResponse {
    /// By product, then by key; a key once a product.
    pub flags: Vec<SetFlag>,
}

/// A switch, as the license in force of its product sets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetFlag {
    /// The product whose license says it.
    pub product: String,
    /// Its name.
    pub key: String,
    /// What it is set to: a bool, a text, a number or an object. `false` switches off.
    pub value: Value,
}
