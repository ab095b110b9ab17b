//! Life: what one agent of a fleet does, as the real one would.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::time::{sleep, sleep_until};
use uuid::Uuid;

use super::{
    super::{
        stand_in::StandIn,
        template::random,
        wire::{Door, Secure},
    },
    POLL_AFTER_S,
    tally::Tally,
};

/// A real agent closes a connection that it has not used for so long.
const IDLE: Duration = Duration::from_secs(15);
/// Between two batches, give or take half of it.
const BATCH_EVERY: Duration = Duration::from_secs(10);
/// Asked so often to come again, it gives up.
const TRIES: usize = 20;

/// One agent of a fleet.
pub(super) struct Member {
    agent: StandIn,
    chance: u64,
}

impl Member {
    pub(super) fn new(agent: StandIn) -> Self {
        let (_, chance) = Uuid::now_v7().as_u64_pair();
        Self { agent, chance }
    }

    /// Give or take half of it.
    fn about(&mut self, time: Duration) -> Duration {
        time / 2 + time.mul_f64(self.share())
    }

    fn share(&mut self) -> f64 {
        (random(&mut self.chance) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Heartbeats and batches until then.
pub(super) async fn live(mut member: Member, door: Arc<Door>, until: Instant) -> (Member, Tally) {
    let mut tally = Tally::default();
    let lived = days(&mut member, &door, until, &mut tally).await;
    tally.note(lived);
    (member, tally)
}

/// One new connection, one heartbeat.
pub(super) async fn return_home(member: Member, door: Arc<Door>) -> (Member, Tally) {
    let mut tally = Tally::default();
    let returned = async {
        let beat = member.agent.heartbeat()?;
        Line::new(&door, &member.agent).call(&beat, &mut tally, Call::Heartbeat).await
    };
    let returned = returned.await.map(drop);
    tally.note(returned);
    (member, tally)
}

async fn days(member: &mut Member, door: &Door, until: Instant, tally: &mut Tally) -> Result<()> {
    let mut poll_after = Duration::from_secs(POLL_AFTER_S.into());
    // Each began its day at another time.
    let mut heartbeat_at = Instant::now() + poll_after.mul_f64(member.share());
    let mut batch_at = Instant::now() + BATCH_EVERY.mul_f64(member.share());
    let mut connection = None;
    loop {
        let next = heartbeat_at.min(batch_at);
        if next >= until {
            return Ok(());
        }
        sleep_until(next.into()).await;
        if next == heartbeat_at {
            let beat = member.agent.heartbeat()?;
            let mut line = Line { connection, ..Line::new(door, &member.agent) };
            let answer = line.call(&beat, tally, Call::Heartbeat).await?;
            connection = line.connection;
            let answer: Value = serde_json::from_slice(&answer)?;
            let seconds = answer["poll_after"].as_u64().context("no poll_after")?;
            poll_after = Duration::from_secs(seconds);
            heartbeat_at = Instant::now() + member.about(poll_after);
        } else {
            let records = 10 + random(&mut member.chance) % 11;
            let batch = member.agent.batch(records)?;
            let mut line = Line { connection, ..Line::new(door, &member.agent) };
            let answer = line.call(&batch.request, tally, Call::Batch).await?;
            connection = line.connection;
            batch.is_accepted_by(&answer)?;
            tally.records += records;
            batch_at = Instant::now() + member.about(BATCH_EVERY);
        }
    }
}

/// What is called: each has its own times.
#[derive(Clone, Copy)]
enum Call {
    Heartbeat,
    Batch,
}

/// An agent's way to its Kernel: a connection, while it is used.
struct Line<'l> {
    door: &'l Door,
    agent: &'l StandIn,
    connection: Option<(Secure, Instant)>,
}

impl<'l> Line<'l> {
    const fn new(door: &'l Door, agent: &'l StandIn) -> Self {
        Self { door, agent, connection: None }
    }

    /// Calls until it is taken; who is told to come again does so when it was told to.
    async fn call(&mut self, request: &[u8], tally: &mut Tally, call: Call) -> Result<Vec<u8>> {
        for _ in 0..TRIES {
            let mut wire = self.wire(tally).await?;
            let begun = Instant::now();
            let answer = wire.exchange(request).await?;
            match (answer.status, answer.retry_after) {
                (200, _) => {
                    let times = match call {
                        Call::Heartbeat => &mut tally.heartbeats,
                        Call::Batch => &mut tally.batches,
                    };
                    times.add(begun.elapsed());
                    let body = answer.body.to_vec();
                    self.connection = Some((wire, Instant::now()));
                    return Ok(body);
                }
                (429 | 503, Some(seconds)) => {
                    tally.told_to_wait += 1;
                    self.connection = Some((wire, Instant::now()));
                    sleep(Duration::from_secs(seconds)).await;
                }
                _ => bail!("refused: {answer:?}"),
            }
        }
        bail!("told to come again {TRIES} times")
    }

    async fn wire(&mut self, tally: &mut Tally) -> Result<Secure> {
        if let Some((wire, used)) = self.connection.take()
            && used.elapsed() < IDLE
        {
            return Ok(wire);
        }
        let begun = Instant::now();
        let wire = self.door.open(&self.agent.identity).await?;
        tally.handshakes.add(begun.elapsed());
        Ok(wire)
    }
}
