//! Drain: a long queue goes up to the Kernel, beside the bare intake of the same Kernel.

use std::time::{Duration, Instant};

use anyhow::Result;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{
    linked::Linked,
    process::{peak_bytes, processor_time, resident_bytes},
    product::Content,
    report::{Bar, Report},
    samples::Samples,
    stand_in::{Sent, StandIn},
    wire::Door,
};
use crate::site::{TENANT, Vendor};

const ROUNDS: usize = 3;
const WAITING: usize = 200_000;
const MANY: usize = 1_000_000;
/// As many as an agent puts into a batch.
const BATCH: u64 = 1_000;
const ALIKE: Content = Content::Alike(375);
const RANDOM: Content = Content::Random(680, 340);

/// Measures it.
///
/// # Errors
/// If agent or Kernel can't be run, or something is refused.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    let vendor = Vendor::new();
    let mut linked = Linked::new(&vendor)?;
    let mut bare = Bare::enroll(&linked)?;
    for content in [ALIKE, RANDOM] {
        beside(report, &mut linked, &mut bare, content)?;
    }
    report.part(&format!("Drain of {MANY} events ({})", ALIKE.named()));
    let all = drain(&mut linked, MANY, ALIKE)?;
    report.bar("agent", &all.per_second.into(), "events/s", Bar::AtLeast(50_000.0));
    let named = "agent, most memory (VmHWM)";
    report.bar(named, &all.peak_mb.into(), "MB", Bar::AtMost(25.0));
    Ok(())
}

fn beside(
    report: &mut Report,
    linked: &mut Linked,
    bare: &mut Bare,
    content: Content,
) -> Result<()> {
    report.part(&format!(
        "Drain of {WAITING} events ({}) over mutual TLS ({ROUNDS} alternating rounds)",
        content.named()
    ));
    let (mut agent, mut limit) = (Samples::default(), Samples::default());
    let (mut peak, mut resident) = (Samples::default(), Samples::default());
    let (mut agent_us, mut kernel_us, mut bare_us) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut wire = Samples::default();
    for _ in 0..ROUNDS {
        let drained = drain(linked, WAITING, content)?;
        agent.add(drained.per_second);
        peak.add(drained.peak_mb);
        resident.add(drained.resident_mb);
        agent_us.add(drained.agent_us);
        kernel_us.add(drained.kernel_us);
        let fed = bare.feed(linked, WAITING, content)?;
        limit.add(fed.per_second);
        bare_us.add(fed.kernel_us);
        wire.add(fed.wire_bytes);
    }
    report.bar("agent", &agent, "events/s", Bar::AtLeast(50_000.0));
    report.figure("bare intake, prepared batches", &limit, "events/s");
    report.figure("agent ÷ bare intake", &agent.over(&limit), "");
    report.bar("agent, most memory (VmHWM)", &peak, "MB", Bar::AtMost(25.0));
    report.figure("agent, memory while draining (VmRSS)", &resident, "MB");
    report.figure("agent, processor time", &agent_us, "µs/event");
    report.figure("Kernel, processor time", &kernel_us, "µs/event");
    report.figure("Kernel, processor time, bare intake", &bare_us, "µs/event");
    report.figure("on the wire", &wire, "B/event");
    Ok(())
}

/// What one drain came to.
struct Drained {
    per_second: f64,
    peak_mb: f64,
    resident_mb: f64,
    agent_us: f64,
    kernel_us: f64,
}

/// The Kernel is away while so many events come; it is back when the agent starts. From exec until
/// the last of them is confirmed.
fn drain(linked: &mut Linked, events: usize, content: Content) -> Result<Drained> {
    linked.kernel.stopped();
    linked.fill(events, content)?;
    let (last, _) = linked.queue()?;
    linked.site.stopped();
    linked.kernel.started();
    let kernel = linked.kernel.process().id();
    let before = processor_time(kernel)?;
    let begun = Instant::now();
    linked.site.started();
    let agent = linked.site.agent().id();
    let mut resident = 0;
    let ended = linked.confirmed(last, || {
        resident = resident.max(resident_bytes(agent)?);
        Ok(())
    })?;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / events as f64;
    Ok(Drained {
        per_second: events as f64 / (ended - begun).as_secs_f64(),
        peak_mb: peak_bytes(agent)? as f64 / 1e6,
        resident_mb: resident as f64 / 1e6,
        agent_us: each(processor_time(agent)?),
        kernel_us: each(processor_time(kernel)?.saturating_sub(before)),
    })
}

/// The least that hands an audit over: batches made before, one after another.
struct Bare {
    engine: Runtime,
    door: Door,
    agent: StandIn,
    _device: TempDir,
}

/// What the bare intake came to.
struct Fed {
    per_second: f64,
    kernel_us: f64,
    wire_bytes: f64,
}

impl Bare {
    fn enroll(linked: &Linked) -> Result<Self> {
        let engine = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (door, device) = (linked.door()?, tempfile::tempdir()?);
        let token = linked.kernel.enrollment_token(&[TENANT]).text;
        let key = device.path().join("device.key");
        let documents = linked.documents.clone();
        let agent = engine.block_on(StandIn::enroll(&door, &token, &key, documents, ALIKE))?;
        Ok(Self { engine, door, agent, _device: device })
    }

    fn feed(&mut self, linked: &Linked, events: usize, content: Content) -> Result<Fed> {
        let Self { engine, door, agent, .. } = self;
        agent.writes(content);
        let batches: Vec<Sent> =
            (0..events as u64 / BATCH).map(|_| agent.batch(BATCH)).collect::<Result<_>>()?;
        let wire_bytes: usize = batches.iter().map(|batch| batch.request.len()).sum();
        let kernel = linked.kernel.process().id();
        let before = processor_time(kernel)?;
        let begun = Instant::now();
        engine.block_on(async {
            let mut wire = door.open(&agent.identity).await?;
            for batch in &batches {
                let answer = wire.exchange(&batch.request).await?;
                batch.is_accepted_by(answer.taken()?)?;
            }
            anyhow::Ok(())
        })?;
        let took = begun.elapsed().as_secs_f64();
        let kernel_time = processor_time(kernel)?.saturating_sub(before);
        Ok(Fed {
            per_second: events as f64 / took,
            kernel_us: kernel_time.as_secs_f64() * 1e6 / events as f64,
            wire_bytes: wire_bytes as f64 / events as f64,
        })
    }
}
