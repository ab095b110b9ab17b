//! Small words that the tests share.

use std::time::Duration;

use farhold_audit::Head;
use farhold_contract::{Sha256Digest, id::RuntimeId};
use farhold_sync::Moment;

pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn at(seconds: u64) -> Moment {
    Moment::from_ms(seconds * 1_000)
}

pub const fn digest(byte: u8) -> Sha256Digest {
    Sha256Digest::new([byte; 32])
}

pub const fn head(byte: u8) -> Head {
    Head::new([byte; 32])
}

pub fn runtime(n: u8) -> RuntimeId {
    format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d3e{n:02x}").parse().unwrap()
}
