//! `dmi_product_uuid`: the machine's UUID by its firmware, or by its hypervisor.

use uuid::Uuid;

use super::{
    dmi,
    reading::{RawValue, Reading, is_one_digit},
    system::Machine,
};

/// The kernel lets root alone read it; the unit hands it over under this name.
const CREDENTIAL: &str = "farhold.product_uuid";

/// What makers of boards leave in instead of a UUID.
const PLACEHOLDERS: [&str; 3] = [
    "03000200-0400-0500-0006-000700080009",
    // The same, its first fields in the other byte order.
    "00020003-0004-0005-0006-000700080009",
    "12345678-1234-5678-90ab-cddeefaabbcc",
];

pub(super) fn read(machine: &Machine) -> Reading<RawValue> {
    let read = match machine.value(&dmi::path("product_uuid")) {
        Reading::Unreadable(reason) => match machine.credential(CREDENTIAL) {
            Some(text) => Reading::Read(RawValue::new(text)),
            None => Reading::Unreadable(reason),
        },
        found => found,
    };
    read.and_then(judge)
}

fn judge(value: RawValue) -> Reading<RawValue> {
    let Ok(uuid) = Uuid::try_parse(value.danger_shown()) else {
        return Reading::Ignored("the product UUID is none".to_owned());
    };
    let text = uuid.hyphenated().to_string();
    // A byte over and over: all zero, all F, FE.
    let bytes = uuid.as_bytes();
    let is_one_byte = bytes.iter().all(|byte| *byte == bytes[0]);
    if is_one_digit(&text) || is_one_byte || PLACEHOLDERS.contains(&text.as_str()) {
        return Reading::Ignored("the product UUID is a placeholder of the maker's".to_owned());
    }
    Reading::Read(RawValue::new(text))
}
