//! Refusal: how every verb fails: a code, what happened, and what to do.

use std::{error::Error, path::Path};

use farhold_bundle::{EnvelopeError, PayloadError, RefusalReason, SignatureError};
use farhold_contract::Code;
use farhold_keys::KeyError;

/// Why a verb did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    code: Code,
    what: String,
    next: Option<String>,
}

impl Refusal {
    /// A refusal by `code`; the next action is the code's own.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), next: None }
    }

    /// A command line that makes no sense.
    pub fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Code::UsageInvalid, what).with_next(next)
    }

    /// With a better next action than the code's.
    pub fn with_next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// With the file that it is about.
    pub fn of_file(mut self, path: &Path) -> Self {
        self.what = format!("{}: {}", path.display(), self.what);
        self
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What happened this time.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do next.
    pub fn next(&self) -> &str {
        self.next.as_deref().unwrap_or(self.code.action())
    }

    /// From an error of ours; the causes that it does not print itself are said after it.
    pub fn from_error(code: Code, error: &dyn Error) -> Self {
        let mut what = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let said = error.to_string();
            // A transparent error repeats its source's words.
            if !what.ends_with(&said) {
                what = format!("{what}: {said}");
            }
            cause = error.source();
        }
        Self::new(code, what)
    }
}

macro_rules! refused_by {
    ($($error:ty)*) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::from_error(error.code(), &error)
            }
        }
    )*};
}

refused_by! { EnvelopeError PayloadError RefusalReason SignatureError }

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        let refusal = Self::from_error(error.code(), &error);
        match &error {
            KeyError::Exposed { path, .. } => refusal.with_next(format!(
                "chmod 600 {}; and if others could read it for long, take another.",
                path.display()
            )),
            _ => refusal,
        }
    }
}
