//! Where log lines go: standard error, for people or for programs.

use std::io::{self, IsTerminal};

use crate::config::{LogConfig, LogFormat};

/// Begins to write them. A process does this once; later calls change nothing.
pub(super) fn begin(log: LogConfig) {
    let lines = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(log.level);
    // no-color.org: set and not empty.
    let colored = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // Refused only where a subscriber is there already: a test's, for one.
    let _ = match log.format {
        LogFormat::Text => lines.with_ansi(colored).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
