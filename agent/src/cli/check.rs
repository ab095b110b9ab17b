//! `farhold check`: the doctor.

use std::collections::BTreeSet;

use serde::Serialize;

use farhold_contract::Code;
use farhold_terminal::{AlreadyTold, Failure, Told, stdout, text};

use super::session::Session;
use crate::{
    config::did_you_mean,
    doctor::{self, Finding, Outcome, Site},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Leave this check out; may be repeated
    #[arg(long, value_name = "ID")]
    skip: Vec<String>,
    /// Ask only whether the agent is alive, and say nothing if it is (a container's healthcheck)
    #[arg(long, hide = true, conflicts_with = "skip")]
    live: bool,
}

/// The whole examination. With something failed, it is an error's object too.
#[derive(Serialize)]
struct Examination<'a> {
    #[serde(flatten)]
    failed: Option<Told>,
    checks: &'a [Finding],
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        if self.live {
            return doctor::is_alive(&session.config()?);
        }
        let skip = self.skip.iter().map(|id| known(id)).collect::<Result<BTreeSet<_>, _>>()?;
        let findings = doctor::examine(&Site::new(session.config()), &skip);
        let failed = failed(&findings);
        let exit = failed.as_ref().map(|failed| failed.code);
        if session.json() {
            stdout::json(&Examination { failed, checks: &findings })?;
            return exit.map_or(Ok(()), |code| Err(AlreadyTold(code).into()));
        }
        stdout::write(described(&findings).as_bytes())?;
        failed.map_or(Ok(()), |failed| Err(Failure::new(failed.code, failed.detail).into()))
    }
}

fn known(id: &str) -> Result<&'static str, Failure> {
    doctor::ids().find(|known| *known == id).ok_or_else(|| {
        let failure =
            Failure::new(Code::UsageInvalid, format!("--skip {}: no such check", text::plain(id)));
        match did_you_mean(id, doctor::ids()) {
            Some(meant) => failure.action(format!("Did you mean {meant}?")),
            None => failure.action(format!(
                "The checks are {}.",
                doctor::ids().collect::<Vec<_>>().join(", ")
            )),
        }
    })
}

fn failed(findings: &[Finding]) -> Option<Told> {
    let ids: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Failed)
        .map(|finding| finding.id)
        .collect();
    let detail = || format!("failed: {}", ids.join(", "));
    (!ids.is_empty()).then(|| Told::new(Code::CheckFailed, detail()))
}

fn described(findings: &[Finding]) -> String {
    let mut told = String::new();
    for finding in findings {
        let outcome = match finding.outcome {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "failed",
            Outcome::Skipped => "skipped",
        };
        told.push_str(&format!("{outcome:<8} {}: {}\n", finding.id, text::plain(&finding.detail)));
        if let Some(next) = &finding.next {
            told.push_str(&format!("         try: {}\n", text::plain(next)));
        }
    }
    told
}
