//! `root show`: a root for people, and its hash.

use std::path::PathBuf;

use serde_json::json;
use sha2::{Digest, Sha256};

use farhold_bundle::{
    Envelope, PayloadError, TrustRoot,
    payload::{DocumentType, Payload, Root},
};
use farhold_contract::{Code, Sha256Digest};

use super::page::{Page, one_line, talk};
use crate::{file, inspect::UNVERIFIED, refusal::Refusal};

/// What `root show` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The root
    #[arg(value_name = "FILE")]
    root: PathBuf,
    /// SHA-256 of its payload, carried apart from the file: verifies the root
    #[arg(long, value_name = "HEX")]
    sha256: Option<Sha256Digest>,
}

/// Shows a root; every line says UNVERIFIED unless its hash was given.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let line = file::read_line(&args.root)?;
    let of_file = |refusal: Refusal| refusal.of_file(&args.root);
    if let Some(sha256) = args.sha256 {
        let root =
            TrustRoot::install(&line, Some(sha256)).map_err(|reason| of_file(reason.into()))?;
        let json = json!({ "verified": true, "sha256": sha256, "root": root.root().content() });
        return Ok(Page::new(text(root.root(), sha256, ""), json));
    }
    let envelope = Envelope::open(&line).map_err(|error| of_file(error.into()))?;
    if envelope.kind() != DocumentType::Root {
        let what = format!("this is a {}, not a root", envelope.kind());
        return Err(of_file(Refusal::new(Code::PayloadType, what)));
    }
    let payload = envelope.danger_unverified_payload();
    let root: Root = serde_json::from_slice(payload)
        .map_err(|source| PayloadError::Malformed { document: DocumentType::Root, source })
        .and_then(|root: Root| root.check().map(|()| root))
        .map_err(|error| of_file(error.into()))?;
    let sha256 = Sha256Digest::new(Sha256::digest(payload).into());
    talk("The file was not verified: compare the hash, or give it as --sha256.");
    let json = json!({ "verified": false, "sha256": sha256, "root": root });
    Ok(Page::new(text(&root, sha256, UNVERIFIED), json))
}

/// A root for people, each line begun by `mark`.
pub(crate) fn text(root: &Root, sha256: Sha256Digest, mark: &str) -> String {
    let mut lines = vec![
        format!("root {} of {}", root.version, one_line(&root.issuer.name)),
        format!("payload SHA-256  {sha256}"),
        format!("issuer           {}", root.issuer.id),
        format!("issued           {}", root.issued_at),
        format!("expires          {}", root.expires),
    ];
    for (role, keys) in root.roles() {
        lines.push(format!("{role}: {} of {}", keys.threshold, keys.key_ids.len()));
        for id in &keys.key_ids {
            let named = root.keys.iter().find(|key| key.public_key.id() == *id);
            let name = named.and_then(|key| key.name.as_deref()).map(one_line).unwrap_or_default();
            lines.push(format!("  {id}  {name}").trim_end().to_owned());
        }
    }
    for id in &root.revoked_keys {
        lines.push(format!("revoked: {id}"));
    }
    for ca in &root.kernel_ca {
        lines.push(format!("kernel CA: {ca}"));
    }
    lines.iter().map(|line| format!("{mark}{line}\n")).collect()
}
