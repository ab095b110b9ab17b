//! `farhold queue`: the audit queue.

mod dead_letters;
mod stats;

use clap::Subcommand;

use farhold_contract::Timestamp;
use farhold_terminal::text;

use super::session::Session;
use crate::{admin::answer::QueueAnswer, config::bytes_for_people};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show how full the queue is, and what was ever lost
    Stats(stats::Args),
    /// List events whose content the Kernel refused; they are in the chain all the same
    DeadLetters(dead_letters::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Stats(args) => args.act(session),
            Self::DeadLetters(args) => args.act(session),
        }
    }
}

/// The queue on one line.
pub(super) fn summary(queue: &QueueAnswer, now: Timestamp) -> String {
    let mut told = format!(
        "{} not receipted, {} of {}",
        text::count(queue.events, "record"),
        bytes_for_people(queue.bytes),
        bytes_for_people(queue.cap_bytes),
    );
    if let Some(oldest) = queue.oldest_at {
        told.push_str(&format!(", the oldest from {}", text::moment(oldest, now)));
    }
    told
}
