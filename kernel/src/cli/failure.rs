//! How a verb ends badly: two lines for people or one object for programs, and an exit code.
//!
//! A [`Failure`] names its code; every other error on the way up is context. The chain is told
//! once, here at the edge.

use std::error::Error;

use serde::Serialize;

use farhold_contract::{Code, Problem, exit::Exit};

use crate::{config::ConfigError, init::InitError, open::OpenError};

/// Why a verb can't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct Failure {
    code: Code,
    what: String,
    action: Option<String>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure by a code of the closed list.
    pub(super) fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), action: None, source: None }
    }

    /// Keeps what caused it.
    pub(super) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names a better next action than the code's own.
    pub(super) fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }
}

impl From<Problem> for Failure {
    /// What the admin API refused, as the verb's own failure.
    fn from(problem: Problem) -> Self {
        Self::new(problem.code, problem.detail.unwrap_or(problem.title)).action(problem.action)
    }
}

/// Standard output was closed by whoever read it: nothing to report, and no one to report to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("standard output was closed")]
pub(super) struct ReaderGone;

/// The verb has printed what is wrong in full: only its exit code is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.sentence())]
pub(super) struct AlreadyTold(pub(super) Code);

/// What is told of an error, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Told {
    /// The code.
    pub(super) code: Code,
    /// What happened, with its causes, on one line.
    pub(super) detail: String,
    /// What to do.
    pub(super) action: String,
}

impl Told {
    /// The first error of the chain that knows its code speaks; one that nobody foresaw is ours.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        let (code, action) = error.chain().find_map(known).unwrap_or((Code::ServerInternal, None));
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        Self {
            code,
            detail: one_line(&causes.join(": ")),
            action: one_line(action.as_deref().unwrap_or(code.action())),
        }
    }

    /// The two lines.
    pub(super) fn lines(&self) -> String {
        let what = self.detail.trim_end_matches('.');
        format!("error: {what} ({})\n  try: {}\n", self.code, self.action)
    }

    /// How the process ends.
    pub(super) const fn exit(&self) -> Exit {
        self.code.exit()
    }
}

fn known(error: &(dyn Error + 'static)) -> Option<(Code, Option<String>)> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some((failure.code, failure.action.clone()));
    }
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return Some((error.code(), None));
    }
    if let Some(error) = error.downcast_ref::<InitError>() {
        return Some((error.code(), None));
    }
    if let Some(error) = error.downcast_ref::<OpenError>() {
        return Some((error.code(), None));
    }
    error.downcast_ref::<AlreadyTold>().map(|told| (told.0, None))
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_chain_is_told_once_on_two_lines_with_the_code_of_whoever_knows_it() {
        let source = std::io::Error::other("first\nsecond");
        let failure = Failure::new(Code::KernelUnreachable, "no answer").because(source);
        let error = Err::<(), _>(failure).context("can't ask").unwrap_err();
        let told = Told::of(&error);
        assert_eq!(
            told.lines(),
            "error: can't ask: no answer: first second (kernel.unreachable)\n  \
             try: Check name, address, proxy and firewall; farhold check tells which.\n"
        );
        assert_eq!(told.exit().code(), 69);
    }

    #[test]
    fn what_nobody_foresaw_is_a_defect_of_ours() {
        assert_eq!(Told::of(&anyhow::anyhow!("odd")).exit(), Exit::Internal);
    }
}
