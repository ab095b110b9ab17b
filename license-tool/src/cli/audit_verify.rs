//! `audit verify`: whether an audit export is whole.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::PathBuf};

use serde_json::{Value, json};

use farhold_audit::{DeviceKey, ExportSummary};
use farhold_bundle::PublicKey;
use farhold_contract::Code;

use super::page::Page;
use crate::{export::verify_export, refusal::Refusal};

/// What `audit verify` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    export: ExportArgs,
}

/// Which export, and whose it must be.
#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    /// The audit export
    #[arg(value_name = "EXPORT")]
    pub(crate) file: PathBuf,
    /// The agent's public key, known beforehand; without it, the export's own word is taken
    #[arg(long, value_name = "HEX")]
    device_key: Option<PublicKey>,
}

/// Verifies an export and says what it amounts to.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let summary = args.export.verify()?;
    Ok(Page::new(text(&summary), object(&summary)).with_warnings(warnings(&summary)))
}

impl ExportArgs {
    /// Verifies the whole export.
    pub(crate) fn verify(&self) -> Result<ExportSummary, Refusal> {
        let file = File::open(&self.file).map_err(|error| {
            let what = format!("{} can't be read: {error}", self.file.display());
            Refusal::new(Code::InputUnreadable, what)
        })?;
        verify_export(BufReader::new(file), self.device_key.as_ref())
            .map_err(|refusal| refusal.of_file(&self.file))
    }
}

/// What the vendor should know of an export that verifies.
pub(crate) fn warnings(summary: &ExportSummary) -> Vec<String> {
    let mut warnings = Vec::new();
    if summary.device() == DeviceKey::Claimed {
        warnings.push(
            "whose export this is, only the export says; give --device-key to be sure".to_owned(),
        );
    }
    for (reason, count) in &summary.checkpoint().lost {
        if count.as_u64() > 0 {
            warnings.push(format!("{count} events were lost ({reason}) since the epoch began"));
        }
    }
    warnings
}

fn text(summary: &ExportSummary) -> String {
    let checkpoint = summary.checkpoint();
    let mut lines = vec![
        "the chain holds".to_owned(),
        format!("device key  {}", checkpoint.device_key),
        format!("epoch       {}", checkpoint.epoch),
        format!(
            "records     {} ({} to {})",
            summary.records(),
            checkpoint.from_seq,
            checkpoint.to_seq
        ),
        format!("head        {}", checkpoint.head),
        format!("made        {}", checkpoint.wall),
    ];
    for (class, count) in summary.by_class() {
        lines.push(format!("  {:<9} {count}", word(class)));
    }
    for (why, count) in summary.withheld() {
        lines.push(format!("withheld    {count} ({})", word(why)));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn object(summary: &ExportSummary) -> Value {
    let checkpoint = summary.checkpoint();
    json!({
        "verified": true,
        "device_key": checkpoint.device_key,
        "device_key_known": summary.device() == DeviceKey::Known,
        "epoch": checkpoint.epoch,
        "from_seq": checkpoint.from_seq,
        "to_seq": checkpoint.to_seq,
        "records": summary.records(),
        "head": checkpoint.head,
        "wall": checkpoint.wall,
        "lost": checkpoint.lost,
        "by_class": counts(summary.by_class()),
        "withheld": counts(summary.withheld()),
    })
}

fn counts(of: &BTreeMap<impl serde::Serialize, u64>) -> BTreeMap<String, u64> {
    of.iter().map(|(name, count)| (word(name), *count)).collect()
}

fn word(name: &impl serde::Serialize) -> String {
    serde_json::to_value(name)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
