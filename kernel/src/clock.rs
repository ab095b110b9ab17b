//! The one place that reads the Kernel's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use farhold_contract::Timestamp;

/// Where the time comes from; tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// The system clock.
    fn now(&self) -> Timestamp;
}

/// The machine's clock. A Kernel's is kept right by whoever runs it; a site's is not believed.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp::from_ms(ms)
    }
}
