//! The one place that reads clocks: wall and CLOCK_BOOTTIME together, once an event.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use farhold_contract::Timestamp;
use farhold_policy::ClockReading;

/// Where readings come from; tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// The system clock and the time since boot, as of one moment.
    fn read(&self) -> ClockReading;
}

/// The machine's clocks.
pub struct SystemClock {
    boot_id: [u8; 16],
}

impl SystemClock {
    /// Finds out which boot this is. Where the system won't say, every start counts as a boot.
    pub fn new() -> Self {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| uuid::Uuid::try_parse(text.trim()).ok())
            .map_or_else(crate::random::salt, uuid::Uuid::into_bytes);
        Self { boot_id }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn read(&self) -> ClockReading {
        // `Instant` stops while the machine is suspended; licenses don't.
        let since_boot = clock_gettime(ClockId::Boottime);
        let boottime_ms = since_boot.tv_sec.unsigned_abs() * 1_000
            + since_boot.tv_nsec.unsigned_abs() / 1_000_000;
        ClockReading { wall: wall(), boottime_ms, boot_id: self.boot_id }
    }
}

/// The system clock alone, for what somebody else dates.
pub(crate) fn wall() -> Timestamp {
    let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    };
    Timestamp::from_ms(ms)
}
