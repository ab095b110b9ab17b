//! Bar 1: a look-only check over loopback TCP.

use std::{fs, process::Command};

use anyhow::Result;

use super::{
    CHECK_PATH, cerbos,
    cerbos::Cerbos,
    process::resident_bytes,
    report::{Bar, Report},
    samples::Samples,
    server::{Server, limit_binary, program},
    subject::Subject,
    wrk::{Round, Wrk},
};
use crate::site::Vendor;

const CONNECTIONS: u32 = 16;
const ROUNDS: u32 = 11;
const SECONDS: u32 = 2;

/// One side of the comparison.
struct Side {
    wrk: Wrk,
    samples: Samples,
    last: Option<Round>,
}

/// Measures it.
///
/// # Errors
/// If the agent or the bare server can't be run. wrk and Cerbos may be absent.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!(
        "Look-only check over loopback TCP, v0.2 with all headers (wrk -t1 -c{CONNECTIONS}, \
         {ROUNDS} alternating rounds of {SECONDS} s)"
    ));
    if let Err(error) = program("wrk") {
        report.absent("wrk, the load generator", &error);
        return Ok(());
    }
    let vendor = Vendor::new();
    let small = Subject::new(&vendor, 10)?;
    let large = Subject::new(&vendor, 10_000)?;
    let folder = tempfile::tempdir()?;
    let answer = folder.path().join("answer.json");
    fs::write(&answer, small.check_answer()?)?;
    large.check_answer()?;
    let mut command = Command::new(limit_binary()?);
    command.arg("check").arg(&answer);
    let bare = Server::telling(command)?;
    let asking = |name: &str, subject: &Subject, address| {
        let (headers, body) = (subject.headers(), subject.check_body());
        Wrk::post(folder.path(), name, address, CHECK_PATH, &headers, &body).map(Side::new)
    };
    let mut agent = asking("agent", &small, small.address())?;
    let mut bare_axum = asking("bare", &small, bare.address())?;
    let mut agent_large = asking("large", &large, large.address())?;
    let cerbos = Cerbos::start();
    let mut peer = match &cerbos {
        Ok(cerbos) => {
            let address = cerbos.server.address();
            let wrk = Wrk::post(folder.path(), "cerbos", address, cerbos::PATH, &[], cerbos::BODY);
            Some(Side::new(wrk?))
        }
        Err(_) => None,
    };
    for _ in 0..ROUNDS {
        agent.round()?;
        bare_axum.round()?;
        agent_large.round()?;
        if let Some(peer) = &mut peer {
            peer.round()?;
        }
    }

    agent.tell(report, "agent, license of 10 entitlements");
    agent_large.tell(report, "agent, license of 10 000 entitlements");
    bare_axum.tell(report, "bare axum handler, same answer");
    if let (Some(peer), Ok(cerbos)) = (&peer, &cerbos) {
        peer.tell(report, &format!("{}, one resource", cerbos.version));
    }
    let ratio = agent.samples.over(&bare_axum.samples);
    report.bar("agent ÷ bare axum", &ratio, "", Bar::AtLeast(0.85));
    match (&peer, &cerbos) {
        (Some(peer), Ok(cerbos)) => {
            let ratio = agent.samples.over(&peer.samples);
            report.bar("agent ÷ Cerbos", &ratio, "×", Bar::AtLeast(8.0));
            let resident = resident_bytes(cerbos.server.id())? as f64 / 1e6;
            report.figure("Cerbos, in memory after it", &resident.into(), "MB");
        }
        (_, Err(error)) => report.absent("Cerbos", error),
        _ => {}
    }
    let resident = resident_bytes(small.site.agent().id())? as f64 / 1e6;
    report.figure("agent, in memory after it", &resident.into(), "MB");
    let flat = agent.samples.over(&agent_large.samples);
    report.bar("10 ÷ 10 000 entitlements", &flat, "×", Bar::AtMost(1.2));
    Ok(())
}

impl Side {
    fn new(wrk: Wrk) -> Self {
        Self { wrk, samples: Samples::default(), last: None }
    }

    fn round(&mut self) -> Result<()> {
        let round = self.wrk.round(CONNECTIONS, SECONDS)?;
        self.samples.add(round.per_second);
        self.last = Some(round);
        Ok(())
    }

    fn tell(&self, report: &Report, name: &str) {
        let times = self.last.as_ref().map(|round| format!("p50 {}, p99 {}", round.p50, round.p99));
        report.figure_with(name, &self.samples, "/s", &times.unwrap_or_default());
    }
}
