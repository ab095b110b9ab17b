//! `farhold audit tail`.

use serde_json::Value;

use farhold_terminal::{stdout, text};

use crate::{
    admin::{answer::AuditTailAnswer, client::Ask},
    cli::session::Session,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// How many
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(format!("/admin/audit/tail?count={}", self.count));
        let tail: AuditTailAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&tail);
        }
        let mut rows = vec![["SEQ", "RECORDED", "CLASS", "EVENT"].map(str::to_owned).to_vec()];
        rows.extend(tail.records.iter().map(row));
        stdout::write(text::columns(&rows).as_bytes())
    }
}

fn row(record: &Value) -> Vec<String> {
    vec![
        cell(record.get("seq")),
        cell(record.get("recorded_at")),
        cell(record.get("class")),
        event(record),
    ]
}

/// The event is carried as text, so that its bytes stay what was hashed.
fn event(record: &Value) -> String {
    let Some(bytes) = record.get("event").and_then(Value::as_str) else {
        return format!("withheld: {}", cell(record.get("withheld")));
    };
    let event: Value = serde_json::from_str(bytes).unwrap_or_default();
    match event.get("type") {
        Some(kind) => cell(Some(kind)),
        None => text::plain(bytes),
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text::plain(text),
        Some(other) => text::plain(&other.to_string()),
    }
}
