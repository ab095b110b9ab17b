//! Randomness for ids and salts: a generator a thread, seeded by the system.

use rand::RngExt;
use uuid::{Builder, Uuid};

use farhold_contract::Timestamp;

/// 16 random bytes.
pub fn salt() -> [u8; 16] {
    rand::rng().random()
}

/// 32 random bytes from the system itself, for what is kept secret.
///
/// # Errors
/// Whatever keeps the system from giving any.
pub fn secret() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A UUIDv7 for this moment. Nothing is shared between threads: a check takes no lock for it.
pub fn id_v7(now: Timestamp) -> Uuid {
    let ms = u64::try_from(now.as_ms()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(ms, &rand::rng().random()).into_uuid()
}
