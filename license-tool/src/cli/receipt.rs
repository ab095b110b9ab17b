//! `receipt`: the vendor's word that an audit export has arrived.

use std::path::{Path, PathBuf};

use serde_json::json;

use farhold_bundle::{
    Envelope, TrustRoot, Verified,
    payload::{Receipt, Role},
};
use farhold_contract::Timestamp;

use super::{
    audit_verify::{ExportArgs, warnings},
    clock,
    page::Page,
    passphrase::{PassphraseArgs, Passphrases},
    trust,
};
use crate::{
    file,
    issue::require_role,
    key::Key,
    receipt::{by_key, sign_receipt},
    refusal::Refusal,
};

/// What `receipt` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    export: ExportArgs,
    /// A kernel key of the root
    #[arg(long, value_name = "FILE|URI")]
    key: PathBuf,
    /// The receipt before, for an export that does not begin with the first record
    #[arg(long, value_name = "RECEIPT")]
    after: Option<PathBuf>,
    /// The trust root: refuses a key whose receipts no site would take
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// When the export was received; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Where the receipt is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Verifies the export, then signs and writes its receipt.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs =
        [Some(&args.export.file), Some(&args.key), args.after.as_ref(), args.root.as_ref()];
    let inputs = inputs.into_iter().flatten().map(PathBuf::as_path);
    file::require_free(&args.out, inputs.chain(args.passphrase.files()))?;
    let root = args.root.as_deref().map(|path| trust::open(path, None)).transpose()?;
    let summary = args.export.verify()?;
    let signer = Passphrases::read(&args.passphrase)?.load(&args.key)?;
    if let Some(root) = &root {
        require_role(root, &signer, Role::Kernel).map_err(|refusal| refusal.of_file(&args.key))?;
    }
    let before =
        args.after.as_deref().map(|path| open(path, root.as_ref(), &signer)).transpose()?;
    let received_at = args.at.unwrap_or_else(clock::now);
    let receipt =
        sign_receipt(&summary, before.as_ref().map(Verified::content), received_at, &signer)?;
    let mut line = receipt.line().to_vec();
    line.push(b'\n');
    file::write_new(&args.out, &line)?;
    let text = format!(
        "receipt     to record {}\ndevice key  {}\nepoch       {}\nhead        {}\n",
        receipt.seq, receipt.device_key, receipt.epoch, receipt.head
    );
    let json = json!({
        "file": args.out.display().to_string(),
        "sha256": receipt.sha256(),
        "receipt": receipt.content(),
    });
    Ok(Page::new(text, json).with_warnings(warnings(&summary)))
}

/// Opens the receipt before: by the root if there is one, else by the same key.
fn open(path: &Path, root: Option<&TrustRoot>, signer: &Key) -> Result<Verified<Receipt>, Refusal> {
    let line = file::read_line(path)?;
    let opened = match root {
        Some(root) => Envelope::open(&line)
            .map_err(Refusal::from)
            .and_then(|envelope| Ok(root.verify(envelope)?)),
        None => by_key(&line, signer),
    };
    opened.map_err(|refusal| refusal.of_file(path))
}
