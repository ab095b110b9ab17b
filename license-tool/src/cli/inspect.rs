//! `inspect`: what a file claims, marked as such in every line.

use std::{fs::File, io::BufReader, path::PathBuf};

use serde_json::{Value, json};

use farhold_bundle::payload::DocumentType;
use farhold_contract::Code;

use super::page::{Page, one_line, talk};
use crate::{
    inspect::{Claim, UNVERIFIED, inspect},
    refusal::Refusal,
};

/// What `inspect` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A document, a bundle, a typed form, or an audit export
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Most claims that are shown: an export may hold millions.
const SHOWN: usize = 1000;

/// Shows what a file claims.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let file = File::open(&args.file).map_err(|error| {
        let what = format!("{} can't be read: {error}", args.file.display());
        Refusal::new(Code::InputUnreadable, what)
    })?;
    let mut claims = Vec::new();
    let mut beyond = 0_u64;
    let mut refusal = None;
    inspect(BufReader::new(file), |claim| {
        if let (Claim::Unreadable { line, refusal: why }, None) = (&claim, &refusal) {
            let what = format!("line {line}: {}", why.what());
            let why = Refusal::new(why.code(), what).with_next(why.next());
            refusal = Some(why.of_file(&args.file));
        }
        if claims.len() < SHOWN {
            claims.push(claim);
        } else {
            beyond += 1;
        }
    })
    .map_err(|refusal| refusal.of_file(&args.file))?;
    talk("Nothing below was verified: anyone could have written it.");
    let mut text: String = claims.iter().map(|claim| marked(&words(claim))).collect();
    if beyond > 0 {
        text.push_str(&marked(&[format!("and {beyond} lines more")]));
    }
    let json = json!({
        "verified": false,
        "claims": claims.iter().map(object).collect::<Vec<_>>(),
        "not_shown": beyond,
    });
    let mut page = Page::new(text, json);
    page.refusal = refusal;
    Ok(page)
}

fn marked(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{UNVERIFIED}{}\n", one_line(line))).collect()
}

fn words(claim: &Claim) -> Vec<String> {
    match claim {
        Claim::Document { line, kind, key_ids, sha256, payload } => {
            let mut lines = vec![format!("line {line}: claims to be a {kind}{}", verb_for(*kind))];
            lines.extend(key_ids.iter().map(|id| format!("  claims a signature by key {id}")));
            lines.push(format!("  payload SHA-256 {sha256}"));
            match payload {
                Some(payload) => lines.extend(format!("{payload:#}").lines().map(str::to_owned)),
                None => lines.push("  its payload is not JSON".to_owned()),
            }
            lines
        }
        Claim::Record { line, record } => vec![format!("line {line}: record {record}")],
        Claim::Unreadable { line, refusal } => {
            vec![format!("line {line}: unreadable ({}): {}", refusal.code(), refusal.what())]
        }
    }
}

/// Which verb takes a document that no site imports.
const fn verb_for(kind: DocumentType) -> &'static str {
    match kind {
        DocumentType::Request => "; license-tool answer verifies and answers it",
        DocumentType::Checkpoint => "; license-tool audit verify proves the export",
        DocumentType::Enroll | DocumentType::Renew => "; only the Kernel takes it",
        _ => "",
    }
}

fn object(claim: &Claim) -> Value {
    match claim {
        Claim::Document { line, kind, key_ids, sha256, payload } => json!({
            "verified": false,
            "line": line,
            "type": kind.as_str(),
            "key_ids": key_ids,
            "sha256": sha256,
            "payload": payload,
        }),
        Claim::Record { line, record } => {
            json!({ "verified": false, "line": line, "type": "record", "record": record })
        }
        Claim::Unreadable { line, refusal } => json!({
            "verified": false,
            "line": line,
            "type": Value::Null,
            "code": refusal.code().as_str(),
            "message": refusal.what(),
        }),
    }
}
