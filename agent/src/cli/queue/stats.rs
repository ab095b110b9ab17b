//! `farhold queue stats`.

use farhold_terminal::{stdout, text};

use crate::{
    admin::{answer::QueueAnswer, client::Ask},
    cli::session::Session,
    config::bytes_for_people,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let queue: QueueAnswer = session.door()?.json(Ask::get("/admin/queue"))?;
        if session.json() {
            return stdout::json(&queue);
        }
        stdout::write(described(&queue).as_bytes())
    }
}

fn described(queue: &QueueAnswer) -> String {
    // A cap of zero would be full whatever is in it.
    let percent = (queue.bytes.saturating_mul(100)).checked_div(queue.cap_bytes).unwrap_or(100);
    let size = format!(
        "{} of {} ({percent} %)",
        bytes_for_people(queue.bytes),
        bytes_for_people(queue.cap_bytes)
    );
    let oldest = queue.oldest_at.map_or_else(|| "none".to_owned(), |at| at.to_string());
    let mut told = text::facts(&[
        ("not receipted", text::count(queue.events, "record")),
        ("oldest of them", oldest),
        ("size", size),
        ("last record", queue.last_seq.to_string()),
        ("last receipted", queue.acknowledged_seq.to_string()),
        ("epoch", text::plain(&queue.epoch)),
        ("head", queue.head.to_string()),
    ]);
    if queue.lost.is_empty() {
        told.push_str("  Nothing was ever lost.\n");
    }
    for (reason, count) in &queue.lost {
        told.push_str(&format!("  Lost: {} ({count})\n", text::plain(reason)));
    }
    told
}
