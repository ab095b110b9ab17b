//! Randomness, from the system itself, for ids, salts, serials and secrets.

use uuid::{Builder, Uuid};

use farhold_contract::Timestamp;

/// `N` random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("a running system gives random bytes");
    bytes
}

/// A UUIDv7 for this moment.
pub fn id_v7(now: Timestamp) -> Uuid {
    let ms = u64::try_from(now.as_ms()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(ms, &bytes()).into_uuid()
}
