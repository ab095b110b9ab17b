//! `farhold-kernel audit verify [--agent ID]`.

use std::time::Duration;

use serde::Serialize;

use farhold_contract::{Code, id::RuntimeId};
use farhold_terminal::{AlreadyTold, Failure, Told, stdout, text};

use crate::{
    admin::answer::{ChainAnswer, MissingAnswer, VerifyAnswer},
    cli::{client::Ask, session::Session},
};

/// Every record is read and hashed: some 100,000 a second.
const VERIFY_TIME: Duration = Duration::from_secs(60 * 60);

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Only this agent's chains
    #[arg(long, value_name = "UUID")]
    agent: Option<RuntimeId>,
}

/// The whole answer. With a fault in it, it is an error's object too.
#[derive(Serialize)]
struct Verification<'a> {
    #[serde(flatten)]
    broken: Option<Told>,
    #[serde(flatten)]
    answer: &'a VerifyAnswer,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get("/kernel/admin/audit/verify").with("agent", self.agent);
        let answer: VerifyAnswer = session.door()?.json(ask.patience(VERIFY_TIME))?;
        let broken = broken(&answer);
        if session.json() {
            let is_broken = broken.is_some();
            stdout::json(&Verification { broken, answer: &answer })?;
            return if is_broken { Err(AlreadyTold(Code::ChainBroken).into()) } else { Ok(()) };
        }
        stdout::write(described(&answer).as_bytes())?;
        stdout::write(missing(&answer).as_bytes())?;
        broken.map_or(Ok(()), |broken| Err(Failure::new(broken.code, broken.detail).into()))
    }
}

fn broken(answer: &VerifyAnswer) -> Option<Told> {
    let fault = |chain: &ChainAnswer| {
        let fault = chain.fault.as_deref().map(text::plain)?;
        Some(format!("the chain of {}: {fault}", owner(chain)))
    };
    let faults: Vec<String> = answer.chains.iter().filter_map(fault).collect();
    (!faults.is_empty()).then(|| Told::new(Code::ChainBroken, faults.join("; ")))
}

fn described(answer: &VerifyAnswer) -> String {
    let heads = ["CHAIN OF", "EPOCH", "RECORDS", "BRANCHES", "REFUSED", "RESULT"];
    let rows = answer.chains.iter().map(|chain| {
        vec![
            owner(chain),
            text::plain(&chain.epoch),
            chain.records.to_string(),
            chain.branches.to_string(),
            chain.refused.to_string(),
            match (&chain.fault, chain.missing.as_slice()) {
                (Some(_), _) => "broken",
                (None, []) => "intact",
                (None, _) => "intact after records that are missing",
            }
            .to_owned(),
        ]
    });
    text::table(&heads, rows)
}

/// What was confirmed once and is not held, a line each.
fn missing(answer: &VerifyAnswer) -> String {
    let mut lines = String::new();
    for chain in &answer.chains {
        for MissingAnswer { from, to, received_at, receipt_key_ids } in &chain.missing {
            lines.push_str(&format!(
                "Missing of {}, epoch {}: records {from} to {to}. A receipt of {received_at} by key \
                 {} confirms them; they are not held here. An export that the site made earlier \
                 may still have them.\n",
                owner(chain),
                text::plain(&chain.epoch),
                text::plain(&receipt_key_ids.join(", ")),
            ));
        }
    }
    lines
}

fn owner(chain: &ChainAnswer) -> String {
    chain.agent_id.map_or_else(|| "the Kernel".to_owned(), |agent| format!("agent {agent}"))
}
