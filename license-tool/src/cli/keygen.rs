//! `keygen`: one key for one role.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::Signer;

use super::{
    page::Page,
    passphrase::{PassphraseArgs, Passphrases},
};
use crate::{file, refusal::Refusal};

/// What `keygen` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the private key is written; never over another file
    #[arg(value_name = "OUT")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Writes the key without a passphrase: whoever reads the file has the key
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    unencrypted: bool,
}

/// Makes an Ed25519 key, encrypted unless told otherwise.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    file::require_free(&args.out, args.passphrase.files())?;
    let passphrase = if args.unencrypted {
        None
    } else {
        Some(Passphrases::read(&args.passphrase)?.for_new_key()?)
    };
    let signer = farhold_keys::create(&args.out, passphrase.as_ref())?;
    let public = signer.public_key();
    let text = format!("key id      {}\npublic key  {public}\n", public.id());
    let json = json!({
        "key_id": public.id().to_string(),
        "public_key": public.to_string(),
        "file": args.out.display().to_string(),
        "encrypted": !args.unencrypted,
    });
    let warnings = args
        .unencrypted
        .then(|| format!("{} is not encrypted: whoever reads it has the key", args.out.display()));
    Ok(Page::new(text, json).with_warnings(warnings.into_iter().collect()))
}
