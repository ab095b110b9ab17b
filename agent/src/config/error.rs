//! Why a configuration is refused, and where it stands.

use std::{fmt, io, path::PathBuf};

use farhold_contract::Code;

/// Where a value, or a mistake, stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In a file, at a line counted from 1; 0 stands for the file as a whole.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// In an environment variable.
    Environment(String),
    /// In a flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// The configuration is wrong at one place.
#[derive(Debug, thiserror::Error)]
#[error("{}", told(.origin, .key.as_deref(), .what))]
pub struct ConfigError {
    origin: Origin,
    key: Option<String>,
    what: String,
    action: Option<String>,
    #[source]
    source: Option<io::Error>,
}

fn told(origin: &Origin, key: Option<&str>, what: &str) -> String {
    match key {
        Some(key) => format!("{origin}: {key}: {what}"),
        None => format!("{origin}: {what}"),
    }
}

impl ConfigError {
    /// A mistake at `origin`.
    pub fn at(origin: Origin, what: impl Into<String>) -> Self {
        Self { origin, key: None, what: what.into(), action: None, source: None }
    }

    /// Names the key it concerns.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Names a better next action than the code's own.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Keeps what the system said.
    #[must_use]
    pub fn because(mut self, source: io::Error) -> Self {
        self.source = Some(source);
        self
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        Code::ConfigInvalid
    }

    /// What to do next.
    pub fn next_action(&self) -> &str {
        self.action.as_deref().unwrap_or(self.code().action())
    }
}
