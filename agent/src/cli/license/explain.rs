//! `farhold license explain CODE`: the closed lists of codes and conditions, offline: what each
//! means, what to do, whom to ask.

use serde::Serialize;

use farhold_contract::{Asks, Code, condition::ConditionCode};
use farhold_terminal::{Failure, stdout, text};

use crate::{cli::session::Session, config::did_you_mean};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// A code like license.expired, or a condition like queue_high
    code: Option<String>,
}

/// One code or condition. A condition has no status and no exit code.
#[derive(Serialize)]
struct Explained {
    code: &'static str,
    sentence: &'static str,
    action: &'static str,
    asks: Asks,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let Some(asked) = self.code else { return list(session) };
        let explained = everything()
            .find(|explained| explained.code == asked)
            .ok_or_else(|| unknown(&asked))?;
        if session.json() {
            return stdout::json(&explained);
        }
        let mut told = format!(
            "{}\nWhat to do: {}\nWhom to ask: {}.\n",
            explained.sentence,
            explained.action,
            explained.asks.words()
        );
        if let (Some(status), Some(exit)) = (explained.http_status, explained.exit_code) {
            told.push_str(&format!("HTTP status {status}, exit code {exit}.\n"));
        }
        stdout::write(told.as_bytes())
    }
}

fn everything() -> impl Iterator<Item = Explained> {
    let codes = Code::ALL.iter().map(|code| Explained {
        code: code.as_str(),
        sentence: code.sentence(),
        action: code.action(),
        asks: code.asks(),
        http_status: Some(code.status()),
        exit_code: Some(code.exit().code()),
    });
    let conditions = ConditionCode::ALL.iter().map(|condition| Explained {
        code: condition.as_str(),
        sentence: condition.impact(),
        action: condition.hint(),
        asks: condition.asks(),
        http_status: None,
        exit_code: None,
    });
    codes.chain(conditions)
}

fn list(session: &Session) -> anyhow::Result<()> {
    let all: Vec<Explained> = everything().collect();
    if session.json() {
        return stdout::json(&all);
    }
    let rows: Vec<_> =
        all.iter().map(|one| vec![one.code.to_owned(), one.sentence.to_owned()]).collect();
    stdout::write(text::columns(&rows).as_bytes())
}

fn unknown(asked: &str) -> Failure {
    let what = format!("{} is no code and no condition of this version", text::plain(asked));
    let failure = Failure::new(Code::UsageInvalid, what);
    match did_you_mean(asked, everything().map(|explained| explained.code)) {
        Some(meant) => failure.action(format!("Did you mean {meant}?")),
        None => failure.action("List them: farhold license explain."),
    }
}
