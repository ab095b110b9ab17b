//! Told: how a verb ends badly, two lines for people or one object for programs.

use std::error::Error;

use serde::Serialize;

use farhold_contract::Code;

use crate::{failure::Failure, text::plain};

/// The verb has printed what is wrong in full: only its exit code is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.sentence())]
pub struct AlreadyTold(pub Code);

/// What is known of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its code.
    pub code: Code,
    /// A better next action than the code's own, if there is one.
    pub action: Option<String>,
}

/// What is told of an error, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The code.
    pub code: Code,
    /// What happened, with its causes, on one line.
    pub detail: String,
    /// What to do.
    pub action: String,
}

impl Told {
    /// What happened, with the code's own next action.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), action: code.action().to_owned() }
    }

    /// The first error of the chain that is known speaks, a [`Failure`] or one that `known` knows;
    /// one that nobody foresaw is ours.
    pub fn of(
        error: &anyhow::Error,
        known: impl Fn(&(dyn Error + 'static)) -> Option<Known>,
    ) -> Self {
        let spoken = error.chain().find_map(|error| spoken(error).or_else(|| known(error)));
        let Known { code, action } = spoken.unwrap_or(Code::ServerInternal.into());
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        Self {
            code,
            detail: one_line(&causes.join(": ")),
            action: one_line(action.as_deref().unwrap_or(code.action())),
        }
    }

    /// The two lines; a document's or a file's words in them move no terminal.
    pub fn lines(&self) -> String {
        let what = plain(self.detail.trim_end_matches('.'));
        format!("error: {what} ({})\n  try: {}\n", self.code, plain(&self.action))
    }
}

impl From<Code> for Known {
    fn from(code: Code) -> Self {
        Self { code, action: None }
    }
}

/// What an error of this crate's says of itself.
fn spoken(error: &(dyn Error + 'static)) -> Option<Known> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        let action = failure.next_action().map(str::to_owned);
        return Some(Known { code: failure.code(), action });
    }
    error.downcast_ref::<AlreadyTold>().map(|told| told.0.into())
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context;

    use farhold_contract::exit::Exit;

    use super::*;

    #[test]
    fn the_chain_is_told_once_on_two_lines_with_the_code_of_whoever_knows_it() {
        let source = io::Error::other("first\nsecond");
        let failure = Failure::new(Code::StateLocked, "the state is in use").because(source);
        let error = Err::<(), _>(failure).context("can't start").unwrap_err();
        let told = Told::of(&error, |_| None);
        assert_eq!(
            told.lines(),
            "error: can't start: the state is in use: first second (state.locked)\n  \
             try: Use the running agent, or stop it first.\n"
        );
        assert_eq!(told.code.exit().code(), 75);
    }

    #[test]
    fn what_a_document_says_moves_no_terminal_when_it_is_refused() {
        let failure = Failure::new(Code::PayloadCritical, "x\u{1b}[2J\u{202e} needs agent 9")
            .action("Ask \u{1b}]0;them\u{7}.");
        assert_eq!(
            Told::of(&failure.into(), |_| None).lines(),
            format!(
                "error: x\u{fffd}[2J\u{fffd} needs agent 9 ({})\n  try: Ask \u{fffd}]0;them\u{fffd}.\n",
                Code::PayloadCritical
            )
        );
    }

    #[test]
    fn what_nobody_foresaw_is_a_defect_of_ours() {
        let told = Told::of(&anyhow::anyhow!("odd"), |_| None);
        assert_eq!(told.code.exit(), Exit::Internal);
    }

    #[test]
    fn the_outermost_error_that_is_known_speaks() {
        let known = |error: &(dyn Error + 'static)| {
            error.downcast_ref::<io::Error>().map(|_| Known {
                code: Code::InputUnreadable,
                action: Some("Mount it.".to_owned()),
            })
        };
        let inner = anyhow::Error::from(io::Error::other("gone")).context("can't look");
        let told = Told::of(&inner, known);
        assert_eq!((told.code, told.action.as_str()), (Code::InputUnreadable, "Mount it."));
        let outer = Failure::new(Code::ConfigInvalid, "no").because(io::Error::other("gone"));
        assert_eq!(Told::of(&outer.into(), known).code, Code::ConfigInvalid);
    }

    #[test]
    fn a_program_reads_code_detail_and_action() {
        let told = serde_json::to_value(Told::new(Code::ChainBroken, "here")).unwrap();
        let expected = serde_json::json!({
            "code": Code::ChainBroken.as_str(),
            "detail": "here",
            "action": Code::ChainBroken.action(),
        });
        assert_eq!(told, expected);
    }
}
