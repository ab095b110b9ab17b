//! Timing: what a site may set.

use std::time::Duration;

/// How patient a site is. The defaults are the project's numbers; a demonstration sets them short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between heartbeats until the Kernel says otherwise.
    pub poll_after: Duration,
    /// Over how long the first retry after a loss is spread: many sites lose one Kernel at once.
    pub reconnect_spread: Duration,
    /// Over how long the first heartbeat of a run is spread: the power returns to many at once.
    pub start_spread: Duration,
    /// The last ceiling of the backoff.
    pub backoff_cap: Duration,
    /// How long a new audit record may wait for company.
    pub coalesce: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll_after: Duration::from_secs(60),
            reconnect_spread: Duration::from_secs(120),
            start_spread: Duration::from_secs(15),
            backoff_cap: Duration::from_secs(15 * 60),
            coalesce: Duration::from_secs(1),
        }
    }
}
