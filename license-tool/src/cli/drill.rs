//! `drill`: the recovery from a stolen or lost key, rehearsed.

use clap::Subcommand;
use serde_json::json;

use farhold_contract::{Code, Timestamp};

use super::{
    clock,
    issued::KnownArgs,
    page::{Page, one_line},
    trust::TrustArgs,
};
use crate::{
    drill::{
        Files, Proof, Rehearsal, Stage, lost_root_key, stolen_license_key, stolen_revocation_key,
        stolen_root_key,
    },
    issued::licenses,
    refusal::Refusal,
};

/// What can be rehearsed.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// A license key is stolen: the thief signs the last serial of every customer
    #[command(name = "stolen-license-key")]
    StolenLicense(Args),
    /// A revocation key is stolen: the thief revokes everyone in the last generation
    #[command(name = "stolen-revocation-key")]
    StolenRevocation(Args),
    /// A root key is stolen: the thief signs a root
    #[command(name = "stolen-root-key")]
    StolenRoot(Args),
    /// A root key is lost: nobody has it any more
    #[command(name = "lost-root-key")]
    LostRoot(Args),
}

/// What each of them takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The key: its id or the beginning of it, its public half, or its name in the root
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    known: KnownArgs,
    /// When it happens; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// What a rehearsal is made by: of what is known, for one key.
type Rehearse = fn(&Stage<'_>, &str) -> Result<Rehearsal, Refusal>;

/// Rehearses, and says what was found; writes nothing.
pub(crate) fn run(verb: Verb) -> Result<Page, Refusal> {
    let (args, rehearse): (Args, Rehearse) = match verb {
        Verb::StolenLicense(args) => (args, stolen_license_key),
        Verb::StolenRevocation(args) => (args, stolen_revocation_key),
        Verb::StolenRoot(args) => (args, stolen_root_key),
        Verb::LostRoot(args) => (args, lost_root_key),
    };
    if args.known.files().next().is_none() {
        return Err(Refusal::usage(
            "nothing is known of what was issued",
            "Give --licenses with the licenses you issued, or --ledger.",
        ));
    }
    let root = args.trust.open()?;
    let issued = args.known.read(&root)?;
    let files = Files {
        root: &args.trust.root,
        licenses: &args.known.licenses,
        ledger: args.known.ledger.as_deref(),
        is_taken: &|path| path.symlink_metadata().is_ok(),
    };
    let now = args.at.unwrap_or_else(clock::now);
    let stage = Stage { root: &root, issued: &issued, files, now };
    let rehearsal = rehearse(&stage, &args.key)?;
    let mut json = json!(rehearsal);
    json["holds"] = rehearsal.holds().into();
    let mut page = Page::new(text(&rehearsal), json).with_warnings(warnings(&rehearsal));
    page.refusal = refusal(&rehearsal);
    Ok(page)
}

/// Most commands that are shown of one step: a vendor may have thousands of customers.
const SHOWN: usize = 20;

fn text(rehearsal: &Rehearsal) -> String {
    let mut text = format!(
        "A rehearsal in memory, with throwaway keys: nothing is written, nobody is told.\n\n{}.\n\n",
        rehearsal.what
    );
    text.push_str(&format!(
        "Affected: {} of {} sites\n",
        rehearsal.affected.len(),
        rehearsal.sites
    ));
    for customer in &rehearsal.affected {
        text.push_str(&format!("  {}\n", one_line(&customer.to_string())));
    }
    if !rehearsal.reissue.is_empty() {
        text.push_str(&format!("\nIssue anew: {}\n", licenses(rehearsal.reissue.len())));
        for one in &rehearsal.reissue {
            let customer = one_line(&one.customer.to_string());
            text.push_str(&format!("  {customer}  -> serial {}\n", one.as_serial));
        }
    }
    text.push_str("\nWhat to do:\n");
    for (at, step) in rehearsal.steps.iter().enumerate() {
        text.push_str(&format!("  {}. {}\n", at + 1, one_line(&step.what)));
        for command in step.commands.iter().take(SHOWN) {
            text.push_str(&format!("     {}\n", one_line(command)));
        }
        if let Some(more @ 1..) = step.commands.len().checked_sub(SHOWN) {
            text.push_str(&format!("     and {more} more like these; --json has them all\n"));
        }
    }
    text.push_str("\nTried on every site:\n");
    for Proof { claim, held, failed } in &rehearsal.proofs {
        let word = if failed.is_empty() { "holds" } else { "FAILS" };
        text.push_str(&format!("  {word}  {claim}: {held} of {}\n", held + failed.len()));
        for failure in failed {
            let customer = one_line(&failure.customer.to_string());
            text.push_str(&format!("         {customer}: {}\n", one_line(&failure.what)));
        }
    }
    text
}

fn warnings(rehearsal: &Rehearsal) -> Vec<String> {
    let mut warnings = Vec::new();
    if rehearsal.sites == 0 {
        warnings.push("no license in force is known: nothing was tried".to_owned());
    }
    if rehearsal.stand_ins > 0 {
        warnings.push(format!(
            "known from the ledger alone: {}; what those grant was not rehearsed; give --licenses",
            licenses(rehearsal.stand_ins)
        ));
    }
    warnings
}

/// A rehearsal that does not end well is told by the exit code, too.
fn refusal(rehearsal: &Rehearsal) -> Option<Refusal> {
    if rehearsal.holds() {
        return None;
    }
    if !rehearsal.recovers {
        let what = "nobody could sign the next root: this loss has no way back by a file";
        return Some(Refusal::new(Code::SignatureThreshold, what).with_next(
            "Add root keys and set their threshold while you have this one: root add-key root.",
        ));
    }
    let failed: usize = rehearsal.proofs.iter().map(|proof| proof.failed.len()).sum();
    let of_site = rehearsal.proofs.iter().flat_map(|proof| &proof.failed).find_map(|one| one.code);
    let what = format!("{failed} times a site did not come back as it should");
    Some(
        Refusal::new(of_site.unwrap_or(Code::BundleStrands), what)
            .with_next("See above where, and what the site said; it would say the same in truth."),
    )
}
