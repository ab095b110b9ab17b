//! What is bounded, whatever a Kernel, a proxy or a configuration says.

use std::time::Duration;

/// Bounds, each with its reason.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most records in a batch: one is taken in whole, by one transaction.
    pub batch_records: u64,
    /// Most bytes of records in a batch, before compression: what an agent may hold in memory.
    pub batch_bytes: u64,
    /// Batches in a row that must be accepted before a batch that was cut smaller grows again:
    /// a gateway's limit doesn't move, and finding it costs a batch each time.
    pub grow_after: u32,
    /// Most heads of one `audit.gap` that are looked up, the highest first.
    pub gap_heads: usize,
    /// Most runs that one heartbeat may ask for again.
    pub backfill_runs: usize,
    /// Least that a `Retry-After` counts for: `0` is no wish to be asked at once, and for ever.
    pub retry_after_min: Duration,
    /// Most that a `Retry-After` counts for: a wrong date must not silence a site for years.
    pub retry_after_max: Duration,
    /// Least seconds between heartbeats that a Kernel may ask for.
    pub poll_after_min: Duration,
    /// Most seconds between heartbeats that a Kernel may ask for (contract v0.2 §7).
    pub poll_after_max: Duration,
    /// The first ceiling of the backoff; it doubles with each failure.
    pub backoff_first: Duration,
    /// Refusals of who we are, in a row, before only an hourly question remains.
    pub refusals: u32,
    /// How often is asked what was refused, give or take a tenth: an operator may have lifted it.
    pub refused_pause: Duration,
    /// How long after a renewal the new certificate is not renewed for being rejected: a Kernel
    /// that rejects what it has just issued must not be asked in a circle.
    pub renew_again: Duration,
    /// Least between a renewal and the next by age: a certificate without a life is no reason
    /// for a circle.
    pub renew_min: Duration,
}

/// The limits of sync.
pub const LIMITS: Limits = Limits {
    batch_records: 1_000,
    batch_bytes: 1 << 20,
    grow_after: 32,
    gap_heads: 256,
    backfill_runs: 1_000,
    retry_after_min: Duration::from_secs(1),
    retry_after_max: Duration::from_secs(3_600),
    poll_after_min: Duration::from_secs(1),
    poll_after_max: Duration::from_secs(farhold_contract::call::heartbeat::POLL_AFTER_MAX as u64),
    backoff_first: Duration::from_secs(1),
    refusals: 6,
    refused_pause: Duration::from_secs(3_600),
    renew_again: Duration::from_secs(3_600),
    renew_min: Duration::from_secs(10),
};
