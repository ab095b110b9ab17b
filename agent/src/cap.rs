//! The queue's cap: configured, or a share of the filesystem.

use std::path::Path;

/// From this share of the cap on, in percent, the queue is high: it is said, and receipted records go.
pub(crate) const HIGH_PERCENT: u64 = 70;
/// From this share of the cap on, in percent, runtimes' events are refused: the queue is full.
pub(crate) const FULL_PERCENT: u64 = 95;

const SHARE: u64 = 10;
const LEAST_BYTES: u64 = 512 << 20;
const MOST_BYTES: u64 = 16 << 30;

/// The cap in bytes: what is configured, else a tenth of the filesystem between 512 MiB and 16 GiB.
pub(crate) fn cap_bytes(configured: Option<u64>, state_dir: &Path) -> u64 {
    configured.unwrap_or_else(|| {
        let total =
            rustix::fs::statvfs(state_dir).map_or(0, |fs| fs.f_blocks.saturating_mul(fs.f_frsize));
        (total / SHARE).clamp(LEAST_BYTES, MOST_BYTES)
    })
}
