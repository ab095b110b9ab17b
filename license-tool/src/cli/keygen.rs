//! `keygen`: one key for one role.

use std::path::{Path, PathBuf};

use serde_json::json;

use farhold_bundle::{PublicKey, Signer};

use super::{
    clock,
    page::Page,
    passphrase::{PassphraseArgs, Passphrases},
};
use crate::{
    file,
    pkcs11::{TokenError, Uri},
    refusal::Refusal,
};

/// What `keygen` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the private key is written; never over another file
    #[arg(value_name = "OUT", required_unless_present = "pkcs11", conflicts_with = "pkcs11")]
    out: Option<PathBuf>,
    /// Makes the key in a token, which never gives it away: pkcs11:token=LABEL;object=LABEL
    #[arg(
        long,
        value_name = "URI",
        conflicts_with_all = ["unencrypted", "passphrase_file", "passphrase_fd"]
    )]
    pkcs11: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Writes the key without a passphrase: whoever reads the file has the key
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    unencrypted: bool,
}

/// Makes an Ed25519 key: in a file, encrypted unless told otherwise, or in a token.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    match (&args.pkcs11, &args.out) {
        (Some(uri), _) => in_token(uri, &args),
        (None, Some(out)) => in_file(out, &args),
        (None, None) => Err(Refusal::usage(
            "neither a file nor a token is named",
            "Give OUT, or --pkcs11 with a URI.",
        )),
    }
}

fn in_file(out: &Path, args: &Args) -> Result<Page, Refusal> {
    file::require_free(out, args.passphrase.files())?;
    let passphrase = if args.unencrypted {
        None
    } else {
        Some(Passphrases::read(&args.passphrase)?.for_new_key()?)
    };
    let signer = farhold_keys::create(out, passphrase.as_ref())?;
    let public = signer.public_key();
    let json = json!({
        "key_id": public.id().to_string(),
        "public_key": public.to_string(),
        "file": out.display().to_string(),
        "encrypted": !args.unencrypted,
    });
    let warnings = args
        .unencrypted
        .then(|| format!("{} is not encrypted: whoever reads it has the key", out.display()));
    Ok(Page::new(text(public), json).with_warnings(warnings.into_iter().collect()))
}

fn in_token(uri: &str, args: &Args) -> Result<Page, Refusal> {
    let uri = Uri::parse(uri).map_err(TokenError::Uri)?;
    let id = clock::new_id(|uuid| Ok(uuid.into_bytes()));
    let signer = Passphrases::read(&args.passphrase)?.create_in_token(&uri, &id)?;
    let public = signer.public_key();
    let json = json!({
        "key_id": public.id().to_string(),
        "public_key": public.to_string(),
        "token": uri.token,
        "object": uri.object,
        "extractable": false,
    });
    let warning = "the token can't give this key away, not even as a backup: let the root list a \
                   second key of the role";
    Ok(Page::new(text(public), json).with_warnings(vec![warning.to_owned()]))
}

fn text(public: &PublicKey) -> String {
    format!("key id      {}\npublic key  {public}\n", public.id())
}
