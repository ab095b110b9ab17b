//! `root show`: a root or a draft for people, and its hash.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::TrustRoot;
use farhold_contract::Sha256Digest;

use super::print;
use crate::{
    cli::{
        clock,
        page::{Page, talk},
        tally, trust,
    },
    file,
    inspect::UNVERIFIED,
    refusal::Refusal,
    root::{Draft, differences},
};

/// What `root show` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The root, or a draft of one
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// SHA-256 of its payload, carried apart from the file: verifies the root
    #[arg(long, value_name = "HEX", conflicts_with = "root")]
    sha256: Option<Sha256Digest>,
    /// The root before it: shows what changes, what that means, and who has signed
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
}

/// Shows a root; every line says UNVERIFIED unless its hash or the root before was given.
pub(super) fn run(args: Args) -> Result<Page, Refusal> {
    let line = file::read_line(&args.file)?;
    let of_file = |refusal: Refusal| refusal.of_file(&args.file);
    if let Some(sha256) = args.sha256 {
        let root =
            TrustRoot::install(&line, Some(sha256)).map_err(|reason| of_file(reason.into()))?;
        let json = json!({ "verified": true, "sha256": sha256, "root": root.root().content() });
        let ahead = clock::ahead(root.root().issued_at).into_iter().collect();
        return Ok(Page::new(print::root(root.root(), sha256, ""), json).with_warnings(ahead));
    }
    if let Some(before) = &args.root {
        let before = trust::open(before, None)?;
        return after(&line, &before).map_err(of_file);
    }
    let draft = Draft::claimed(&line).map_err(of_file)?;
    let sha256 = draft.sha256();
    talk("The file was not verified: compare the hash, or give it as --sha256.");
    let mut text = print::root(draft.content(), sha256, UNVERIFIED);
    let signed = draft.signers().count();
    if signed == 0 {
        text.push_str(&format!("{UNVERIFIED}a draft: nobody has signed it\n"));
    }
    let json = json!({
        "verified": false,
        "sha256": sha256,
        "root": draft.content(),
        "signatures": signed,
    });
    let more = draft.require_all_shown().err().map(|_| "it says more than is shown".to_owned());
    let warnings = more.into_iter().chain(clock::ahead(draft.content().issued_at)).collect();
    Ok(Page::new(text, json).with_warnings(warnings))
}

/// A root or a draft beside the root that it follows.
fn after(line: &[u8], before: &TrustRoot) -> Result<Page, Refusal> {
    let draft = Draft::open(line, before)?;
    let (tally, differences) = (draft.tally(before), differences(before.root(), draft.content()));
    let verified = tally.is_complete();
    if verified {
        draft.complete(before)?;
    }
    let follows = match verified {
        true => format!("verified: it follows root {}\n", before.version()),
        false => format!("a draft after root {}: not complete\n", before.version()),
    };
    let text = format!(
        "{}{}{}{follows}",
        print::root(draft.content(), draft.sha256(), ""),
        print::changes(&differences),
        tally::text(&tally),
    );
    let mut json = print::draft_json(&draft, &tally, &differences);
    json["verified"] = verified.into();
    let ahead = clock::ahead(draft.content().issued_at).into_iter().collect();
    Ok(Page::new(text, json).with_warnings(ahead))
}
