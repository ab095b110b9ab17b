//! `farhold-kernel ledger show [--license ID]`.

use serde::Deserialize;

use farhold_contract::{
    Timestamp,
    id::{LicenseId, TenantId},
};
use farhold_ledger::Kind;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::LedgerAnswer,
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Only the entries of this license
    #[arg(long, value_name = "UUID")]
    license: Option<LicenseId>,
    /// How many entries
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
}

/// What is shown of an entry.
#[derive(Deserialize)]
struct Shown {
    seq: u64,
    at: Timestamp,
    kind: Kind,
    license_id: Option<LicenseId>,
    serial: Option<u64>,
    tenant_id: Option<TenantId>,
    product: Option<String>,
    issued_to: Option<String>,
}

const HEADS: [&str; 8] =
    ["ENTRY", "AT", "KIND", "LICENSE", "SERIAL", "PRODUCT", "ISSUED TO", "ORGANIZATION"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get("/kernel/admin/ledger")
            .with("license_id", self.license)
            .with("limit", Some(self.count));
        let answer: LedgerAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(described(&answer)?.as_bytes())
    }
}

fn described(answer: &LedgerAnswer) -> anyhow::Result<String> {
    let whole = match answer.whole_at {
        None => "not yet: farhold-kernel ledger upload FILE".to_owned(),
        Some(at) => at.to_string(),
    };
    let mut told = text::facts(&[
        ("held to", format!("entry {}, {}", answer.seq, answer.hash)),
        ("uploaded", whole),
    ]);
    let entries = answer.entries.iter().rev().map(|entry| serde_json::from_str(entry.get()));
    let rows: Vec<Shown> = entries.collect::<Result<_, _>>()?;
    if !rows.is_empty() {
        told.push_str(&text::table(&HEADS, rows.iter().map(row)));
    }
    Ok(told)
}

fn row(entry: &Shown) -> Vec<String> {
    let named = |text: &Option<String>| text::or_dash(text.as_deref().map(text::plain));
    vec![
        entry.seq.to_string(),
        entry.at.to_string(),
        entry.kind.as_str().to_owned(),
        text::or_dash(entry.license_id),
        text::or_dash(entry.serial),
        named(&entry.product),
        named(&entry.issued_to),
        text::or_dash(entry.tenant_id),
    ]
}
