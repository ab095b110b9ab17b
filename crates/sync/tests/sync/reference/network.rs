//! The network: weather by the hour, and bad luck in between.

use std::time::Duration;

use farhold_contract::Code;
use farhold_sync::{Failure, Jitter, Moment, Outcome};

use crate::support::seconds;

/// What lies over the network for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Nobody is reached.
    Partition,
    /// A server in the Kernel's place answers 502.
    Burst,
    /// The Kernel sheds load and says for how long.
    Overload,
    /// A portal answers everything with its page.
    Portal,
    /// A gateway takes only batches of so many records.
    Narrow(usize),
}

/// What becomes of one call. Times are from its beginning.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It does not reach the Kernel.
    Lost { outcome: Outcome, ends: Duration },
    /// The Kernel takes it, `again` a second time, and is heard unless the answer is lost.
    Taken { arrives: Duration, again: Option<Duration>, heard: bool, ends: Duration },
}

#[derive(Debug)]
pub struct Network {
    windows: Vec<(Moment, Moment, Weather)>,
    calm_from: Moment,
    luck: Jitter,
}

/// After this a client gives up.
const PATIENCE: Duration = seconds(30);

impl Network {
    pub fn new(windows: Vec<(Moment, Moment, Weather)>, calm_from: Moment, luck: Jitter) -> Self {
        Self { windows, calm_from, luck }
    }

    pub fn weather(&self, now: Moment) -> Option<Weather> {
        let over = |(from, to, _): &&(Moment, Moment, Weather)| *from <= now && now < *to;
        self.windows.iter().find(over).map(|(_, _, weather)| *weather)
    }

    pub fn fate(&mut self, now: Moment, records: usize) -> Fate {
        let arrives = Duration::from_millis(1) + self.luck.up_to(seconds(5));
        let ends = arrives + self.luck.up_to(seconds(5));
        let lost = |outcome| Fate::Lost { outcome, ends };
        let chance = self.luck.draw() % 100;
        match self.weather(now) {
            Some(Weather::Partition) => match chance % 4 {
                0 => lost(Outcome::Failed(Failure::Refused)),
                1 => lost(Outcome::Failed(Failure::Unresolved)),
                2 => lost(Outcome::Failed(Failure::Proxy)),
                _ => Fate::Lost { outcome: Outcome::Failed(Failure::TimedOut), ends: PATIENCE },
            },
            Some(Weather::Burst) => lost(Outcome::answered(502)),
            Some(Weather::Overload) => lost(Outcome::Answered {
                status: 429,
                code: Some(Code::AuditFlood),
                retry_after: Some(seconds(chance)),
            }),
            Some(Weather::Portal) => lost(Outcome::Failed(Failure::Malformed)),
            Some(Weather::Narrow(most)) if records > most => lost(Outcome::answered(413)),
            Some(Weather::Narrow(_)) | None if now >= self.calm_from => {
                Fate::Taken { arrives, again: None, heard: true, ends }
            }
            Some(Weather::Narrow(_)) | None => match chance {
                0..=4 => Fate::Lost { outcome: Outcome::Failed(Failure::TimedOut), ends: PATIENCE },
                5..=9 => Fate::Taken { arrives, again: None, heard: false, ends: PATIENCE },
                10..=12 => lost(Outcome::Failed(Failure::Reset)),
                13..=19 => {
                    // A proxy repeats it, long after everybody has forgotten.
                    let again = Some(arrives + self.luck.up_to(seconds(600)));
                    Fate::Taken { arrives, again, heard: true, ends }
                }
                _ => Fate::Taken { arrives, again: None, heard: true, ends },
            },
        }
    }
}
