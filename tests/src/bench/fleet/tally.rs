//! Tally: what many agents met, put together.

use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};

use super::super::report::Report;

/// What agents met.
#[derive(Default)]
pub(super) struct Tally {
    /// Whole handshakes, from the first packet to the last.
    pub(super) handshakes: Times,
    /// Heartbeats, from the request to the answer.
    pub(super) heartbeats: Times,
    /// Batches, from the request to the receipt.
    pub(super) batches: Times,
    /// Records of batches that were receipted.
    pub(super) records: u64,
    /// How often one was told to come again, and when.
    pub(super) told_to_wait: u32,
    failures: Vec<Error>,
}

/// How long something took, each time.
#[derive(Default)]
pub(super) struct Times {
    us: Vec<u32>,
    last: Option<Instant>,
}

impl Times {
    /// Once more, until now.
    pub(super) fn add(&mut self, time: Duration) {
        self.us.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
        self.last = Some(Instant::now());
    }

    /// The time that so many of a thousand took at most, in milliseconds; after [`Tally::close`].
    pub(super) fn at(&self, thousandths: usize) -> f64 {
        let at = self.us.len().saturating_sub(1) * thousandths / 1000;
        self.us.get(at).map_or(f64::NAN, |us| f64::from(*us) / 1e3)
    }

    /// How many there were in a second, from the beginning to the last.
    pub(super) fn per_second(&self, begun: Instant) -> f64 {
        let took = self.last.map_or(Duration::ZERO, |last| last - begun);
        self.us.len() as f64 / took.as_secs_f64()
    }

    fn tell(&self, report: &Report, name: &str, begun: Instant) {
        let times = format!(
            "{} of them; p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
            self.us.len(),
            self.at(500),
            self.at(990),
            self.at(1000)
        );
        report.figure_with(name, &self.per_second(begun).into(), "/s", &times);
    }
}

impl Tally {
    /// Another agent's.
    pub(super) fn add(&mut self, other: Self) {
        for (own, other) in [
            (&mut self.handshakes, other.handshakes),
            (&mut self.heartbeats, other.heartbeats),
            (&mut self.batches, other.batches),
        ] {
            own.us.extend(other.us);
            own.last = own.last.max(other.last);
        }
        self.records += other.records;
        self.told_to_wait += other.told_to_wait;
        self.failures.extend(other.failures);
    }

    /// Takes what an agent's life ended with.
    pub(super) fn note(&mut self, ended: Result<()>) {
        self.failures.extend(ended.err());
    }

    /// No more comes.
    pub(super) fn close(&mut self) {
        for times in [&mut self.handshakes, &mut self.heartbeats, &mut self.batches] {
            times.us.sort_unstable();
        }
    }

    /// How many agents gave up.
    pub(super) fn failed(&self) -> usize {
        self.failures.len()
    }

    /// Stops a run in which one gave up: the rest would be measured without it.
    pub(super) fn first_failure(&self) -> Result<()> {
        match self.failures.first() {
            Some(failure) => bail!("{} agents gave up; one: {failure:#}", self.failures.len()),
            None => Ok(()),
        }
    }

    /// Prints what it came to, after `took`.
    pub(super) fn tell(&self, report: &Report, took: Duration) {
        let begun = Instant::now().checked_sub(took).unwrap_or_else(Instant::now);
        self.handshakes.tell(report, "handshakes, mutual TLS", begun);
        self.heartbeats.tell(report, "heartbeats", begun);
        self.batches.tell(report, "batches", begun);
        if self.records > 0 {
            let per_second = self.records as f64 / took.as_secs_f64();
            report.figure("events in them", &per_second.into(), "/s");
        }
        report.figure("told to come again", &f64::from(self.told_to_wait).into(), "times");
    }
}
