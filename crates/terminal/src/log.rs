//! Where log lines go: standard error, for people or for programs.
//!
//! A process begins to write them once; later calls change nothing. A line that can't be written is
//! lost: the subscriber's own report of it would panic where standard error is what fails, and end
//! whoever had something to say.

use std::io::{self, IsTerminal};

use tracing::Level;

/// Lines for people, down to a level, colored where they are seen.
pub fn text(level: Level) {
    // no-color.org: set and not empty.
    let colored = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        .log_internal_errors(false);
    // Refused only where a subscriber is there already: a test's, for one.
    let _ = lines.with_ansi(colored).try_init();
}

/// A JSON object a line, down to a level.
pub fn json(level: Level) {
    let lines = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        .log_internal_errors(false);
    // As for people.
    let _ = lines.json().flatten_event(true).try_init();
}
