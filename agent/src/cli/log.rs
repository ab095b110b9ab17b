//! Where log lines go: standard error, in the form that the configuration says.

use tracing::Level;

use farhold_terminal::log;

use crate::config::{LogConfig, LogFormat};

/// Begins to write them. A process does this once; later calls change nothing.
pub(super) fn begin(config: &LogConfig, level: Level) {
    match config.format {
        LogFormat::Text => log::text(level),
        LogFormat::Json => log::json(level),
    }
}
