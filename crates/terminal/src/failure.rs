//! Failure: an error that names its code.

use std::error::Error;

use farhold_contract::{Code, Problem};

/// Why a verb, or the program itself, can't do what it was asked.
///
/// Every other error on the way up is context; the chain is told once, by [`Told`](crate::Told).
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    code: Code,
    what: String,
    action: Option<String>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure by a code of the closed list.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), action: None, source: None }
    }

    /// Keeps what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names a better next action than the code's own.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The better next action, if there is one.
    pub fn next_action(&self) -> Option<&str> {
        self.action.as_deref()
    }
}

impl From<Problem> for Failure {
    /// What the other end refused, as the verb's own failure.
    fn from(problem: Problem) -> Self {
        Self::new(problem.code, problem.detail.unwrap_or(problem.title)).action(problem.action)
    }
}
