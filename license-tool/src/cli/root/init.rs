//! `root init`: the first root of an issuer.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::json;

use farhold_bundle::{Positive, Signer, payload::Role};
use farhold_contract::{Sha256Digest, Timestamp, id::IssuerId};

use super::{date::require_not_ahead, key::KeySource, life::LifeArgs, print};
use crate::{
    cli::{
        clock,
        number::positive,
        page::Page,
        passphrase::{PassphraseArgs, Passphrases},
    },
    file,
    refusal::Refusal,
    root::{FirstKey, FirstRoot, first_root},
};

/// What `root init` takes. A key is a private key's file, a PKCS#11 URI, or its public half as hex.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The issuer's name, for people
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// The issuer's id, if it has one already; else a new one is made
    #[arg(long, value_name = "UUIDv7")]
    issuer_id: Option<IssuerId>,
    /// A key that signs roots; those given as files sign this one
    #[arg(long, required = true, value_name = "FILE|HEX|URI")]
    root_key: Vec<String>,
    /// A key that signs licenses
    #[arg(long, required = true, value_name = "FILE|HEX|URI")]
    license_key: Vec<String>,
    /// A key that signs revocations
    #[arg(long, required = true, value_name = "FILE|HEX|URI")]
    revocation_key: Vec<String>,
    /// A key that signs receipts: the Kernel's, and one for `license-tool receipt`
    #[arg(long, required = true, value_name = "FILE|HEX|URI")]
    kernel_key: Vec<String>,
    /// How many root keys must sign the next root
    #[arg(long, value_name = "N", value_parser = positive, default_value = "1")]
    root_threshold: Positive,
    /// How many license keys must sign a license
    #[arg(long, value_name = "N", value_parser = positive, default_value = "1")]
    license_threshold: Positive,
    /// How many revocation keys must sign revocations
    #[arg(long, value_name = "N", value_parser = positive, default_value = "1")]
    revocation_threshold: Positive,
    /// How many kernel keys must sign a receipt
    #[arg(long, value_name = "N", value_parser = positive, default_value = "1")]
    kernel_threshold: Positive,
    /// SHA-256 of the public key (SPKI) of the Kernel's CA, which sites then require
    #[arg(long, value_name = "HEX")]
    kernel_ca: Vec<Sha256Digest>,
    #[command(flatten)]
    life: LifeArgs,
    /// When it is made; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Where the root is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Makes, signs and writes root 1.
pub(super) fn run(args: Args) -> Result<Page, Refusal> {
    let sources = args.sources()?;
    let files = sources.iter().filter_map(|(_, source)| source.path());
    file::require_free(&args.out, files.chain(args.passphrase.files()))?;
    let issued_at = args.at.unwrap_or_else(clock::now);
    require_not_ahead(Positive::MIN, issued_at)?;
    let expires = args.life.end(issued_at)?;
    let passphrases = Passphrases::read(&args.passphrase)?;
    let mut keys = Vec::new();
    let mut signers = Vec::new();
    for (role, source) in sources {
        let (public_key, name, private) = source.load(&passphrases)?;
        signers.extend(private.filter(|_| role == Role::Root));
        keys.push(FirstKey { role, public_key, name });
    }
    let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    let thresholds = BTreeMap::from([
        (Role::Root, args.root_threshold),
        (Role::License, args.license_threshold),
        (Role::Revocation, args.revocation_threshold),
        (Role::Kernel, args.kernel_threshold),
    ]);
    let first = FirstRoot {
        issuer: args.issuer_id.unwrap_or_else(|| clock::new_id(IssuerId::from_uuid)),
        name: args.issuer,
        issued_at,
        expires,
        keys,
        thresholds,
        kernel_ca: args.kernel_ca,
    };
    let root = first_root(first, &signers)?;
    let mut line = root.root().line().to_vec();
    line.push(b'\n');
    file::write_new(&args.out, &line)?;
    let text = format!(
        "{}\nThe hash above is what a site installs the root by: carry it apart from the file.\n",
        print::root(root.root(), root.root().sha256(), "")
    );
    let json = json!({
        "file": args.out.display().to_string(),
        "sha256": root.root().sha256(),
        "root": root.root().content(),
    });
    Ok(Page::new(text, json))
}

impl Args {
    fn sources(&self) -> Result<Vec<(Role, KeySource)>, Refusal> {
        let roles = [
            (Role::Root, &self.root_key),
            (Role::License, &self.license_key),
            (Role::Revocation, &self.revocation_key),
            (Role::Kernel, &self.kernel_key),
        ];
        let mut sources = Vec::new();
        for (role, given) in roles {
            for text in given {
                sources.push((role, KeySource::parse(text)?));
            }
        }
        Ok(sources)
    }
}
