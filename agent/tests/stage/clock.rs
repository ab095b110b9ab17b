//! A clock that tests set.

use std::{sync::Mutex, time::Duration};

use farhold_agent::clock::Clock;
use farhold_contract::Timestamp;
use farhold_policy::ClockReading;

/// A machine's two clocks.
pub(crate) struct SetClock(Mutex<ClockReading>);

impl SetClock {
    pub(crate) fn at(wall: Timestamp) -> Self {
        Self(Mutex::new(ClockReading { wall, boottime_ms: 1_000_000, boot_id: [1; 16] }))
    }

    /// The machine runs.
    pub(crate) fn run(&self, time: Duration) {
        let mut reading = self.0.lock().unwrap();
        reading.wall = reading.wall + time;
        reading.boottime_ms += u64::try_from(time.as_millis()).unwrap();
    }

    /// Somebody sets the wall.
    pub(crate) fn set(&self, wall: Timestamp) {
        self.0.lock().unwrap().wall = wall;
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.0.lock().unwrap().wall
    }
}

impl Clock for SetClock {
    fn read(&self) -> ClockReading {
        *self.0.lock().unwrap()
    }
}
