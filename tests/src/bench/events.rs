//! Bar 2: durable events, one a request and in batches.

use std::{
    fs::File,
    io::Write,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    load::{Flow, drive},
    redis::Redis,
    report::{Bar, Report},
    samples::Samples,
    server::{Server, limit_binary},
    subject::{EVENT_BYTES, Subject},
};
use crate::site::Vendor;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 9;
const TIME: Duration = Duration::from_secs(2);
const RAW_TIME: Duration = Duration::from_millis(500);
const REDIS_ENTRIES: u32 = 15_000;
const BATCH: usize = 100;
const BATCH_CONNECTIONS: usize = 16;
const BATCH_ROUNDS: usize = 5;

/// Measures it.
///
/// # Errors
/// If the agent or the bare server can't be run. Redis may be absent.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!(
        "Durable events of {EVENT_BYTES} B, one a request, {CONNECTIONS} connections \
         ({ROUNDS} alternating rounds of {} s)",
        TIME.as_secs()
    ));
    let subject = Subject::new(&Vendor::new(), 10)?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(limit_binary()?);
    command.arg("events").arg(folder.path().join("limit.db"));
    let bare = Server::telling(command)?;
    let redis = Redis::start(folder.path());
    let one = subject.one_event();
    let (mut agent, mut limit) = (Side::default(), Side::default());
    let (mut peer, mut raw) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        agent.add(drive(subject.address(), CONNECTIONS, TIME, &one)?);
        limit.add(drive(bare.address(), CONNECTIONS, TIME, &one)?);
        if let Ok(redis) = &redis {
            peer.add(redis.adds(REDIS_ENTRIES, CONNECTIONS as u32, 1)?);
        }
        raw.add(raw_syncs(folder.path())?);
    }
    agent.tell(report, "agent");
    limit.tell(report, "bare axum + SQLite, one sync a group");
    match &redis {
        Ok(redis) => {
            report.figure(&format!("{}, XADD, appendfsync always", redis.version), &peer, "/s");
        }
        Err(error) => report.absent("Redis", error),
    }
    report.figure("raw append + fdatasync, one at a time", &raw, "/s");
    let ratio = agent.samples.over(&limit.samples);
    report.bar("agent ÷ bare axum + SQLite", &ratio, "", Bar::AtLeast(0.7));
    if redis.is_ok() {
        report.figure("agent ÷ Redis", &agent.samples.over(&peer), "×");
    }
    batches(report, &subject, redis.as_ref().ok())
}

fn batches(report: &Report, subject: &Subject, redis: Option<&Redis>) -> Result<()> {
    report.part(&format!(
        "Durable events in batches of {BATCH}, {BATCH_CONNECTIONS} connections \
         ({BATCH_ROUNDS} alternating rounds)"
    ));
    let batch = subject.events(BATCH);
    let (mut agent, mut peer) = (Samples::default(), Samples::default());
    for _ in 0..BATCH_ROUNDS {
        let flow = drive(subject.address(), BATCH_CONNECTIONS, TIME, &batch)?;
        agent.add(flow.per_second * BATCH as f64);
        if let Some(redis) = redis {
            peer.add(redis.adds(REDIS_ENTRIES * 20, BATCH_CONNECTIONS as u32, BATCH as u32)?);
        }
    }
    report.figure("agent, over HTTP", &agent, "events/s");
    if let Some(redis) = redis {
        let name = format!("{}, pipelined, appendfsync always", redis.version);
        report.figure(&name, &peer, "events/s");
    }
    Ok(())
}

/// Appends an event's bytes and syncs, again and again; how often in a second.
fn raw_syncs(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("raw"))?;
    let event = [b'e'; EVENT_BYTES];
    let begun = Instant::now();
    let mut syncs = 0_u32;
    while begun.elapsed() < RAW_TIME {
        file.write_all(&event)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / begun.elapsed().as_secs_f64())
}

/// One side of the comparison.
#[derive(Default)]
struct Side {
    samples: Samples,
    last: Option<Flow>,
}

impl Side {
    fn add(&mut self, flow: Flow) {
        self.samples.add(flow.per_second);
        self.last = Some(flow);
    }

    fn tell(&self, report: &Report, name: &str) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let times =
            self.last.map(|flow| format!("p50 {:.2} ms, p99 {:.2} ms", ms(flow.p50), ms(flow.p99)));
        report.figure_with(name, &self.samples, "/s", &times.unwrap_or_default());
    }
}
