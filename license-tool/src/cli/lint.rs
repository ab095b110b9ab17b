//! `lint`: what templates and licenses may say and hardly mean.

use std::path::PathBuf;

use serde_json::{Value, json};

use farhold_bundle::{LIMITS, Period, TrustRoot};
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{IssuerId, LicenseId},
};

use super::{
    clock,
    page::{Page, one_line},
    trust,
};
use crate::{
    contents::Fill,
    file, ledger,
    lint::{Finding, Papers, RULES, Weight, lint},
    refusal::Refusal,
};

/// What `lint` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Templates, licenses, bundles, roots; together, so that serials and features are compared
    #[arg(value_name = "FILE", required_unless_present = "ledger")]
    files: Vec<PathBuf>,
    /// The ledger: also looks at what it says was issued
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// A site's request, whose reported use the quotas are held against
    #[arg(long, value_name = "REQUEST")]
    usage: Vec<PathBuf>,
    /// The trust root: says which licenses hold under it, and whether its own end is near
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// SHA-256 of the root's payload, carried apart from the file; without it, the file is trusted
    #[arg(long, value_name = "HEX", requires = "root")]
    sha256: Option<Sha256Digest>,
    /// How near the end of a root is near
    #[arg(long, value_name = "PERIOD", default_value = "P180D")]
    within: Period,
    /// Accepts what this finding says; repeat it for several
    #[arg(long, value_name = "NAME", value_parser = known)]
    allow: Vec<&'static str>,
    /// As of when; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Looks at everything given and says what is probably not meant.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let root = args.root.as_deref().map(|path| trust::open(path, args.sha256)).transpose()?;
    let ledger = args.ledger.as_deref().map(ledger::read).transpose()?;
    let at = args.at.unwrap_or_else(clock::now);
    let mut papers = Papers {
        licenses: Vec::new(),
        roots: Vec::new(),
        revocations: Vec::new(),
        requests: Vec::new(),
        trust: root.as_ref(),
        ledger: ledger.as_ref(),
        at,
        within: args.within.clone(),
    };
    let fill = fill(root.as_ref(), at);
    for path in &args.files {
        let bytes = file::read(path, LIMITS.bundle_bytes)?;
        papers
            .add(&path.display().to_string(), &bytes, fill)
            .map_err(|refusal| refusal.of_file(path))?;
    }
    for path in &args.usage {
        let bytes = file::read(path, LIMITS.envelope_bytes)?;
        papers.add_requests(&bytes, fill).map_err(|refusal| refusal.of_file(path))?;
    }
    let findings = lint(&papers);
    Ok(page(&findings, &args.allow, &papers, root.as_ref()))
}

/// What a template does not say itself.
pub(super) fn fill(root: Option<&TrustRoot>, issued_at: Timestamp) -> Fill {
    let unknown = || clock::new_id(IssuerId::from_uuid);
    Fill {
        license_id: clock::new_id(LicenseId::from_uuid),
        issuer: root.map_or_else(unknown, |root| root.root().issuer.id),
        issued_at,
    }
}

fn page(
    findings: &[Finding],
    allow: &[&'static str],
    papers: &Papers<'_>,
    root: Option<&TrustRoot>,
) -> Page {
    let is_allowed = |finding: &Finding| allow.contains(&finding.name);
    let mut text = String::new();
    for finding in findings.iter().filter(|finding| !is_allowed(finding)) {
        text.push_str(&format!(
            "{}: {}: {} ({})\n  why: {}\n  do:  {}\n",
            finding.weight.as_str(),
            one_line(&finding.subject),
            one_line(&finding.what),
            finding.name,
            finding.why,
            one_line(&finding.next),
        ));
    }
    let count =
        |weight| findings.iter().filter(|it| !is_allowed(it) && it.weight == weight).count();
    let (errors, warnings, notes) =
        (count(Weight::Error), count(Weight::Warning), count(Weight::Note));
    let allowed = findings.iter().filter(|finding| is_allowed(finding)).count();
    let counts = format!("{errors} errors, {warnings} warnings, {notes} notes, {allowed} allowed");
    let seen = papers.licenses.len() + papers.roots.len() + papers.revocations.len();
    text.push_str(&format!("looked at {seen} documents and templates: {counts}\n"));

    let found: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let mut object = json!(finding);
            object["allowed"] = Value::from(is_allowed(finding));
            object
        })
        .collect();
    let mut page = Page::new(
        text,
        json!({
            "findings": found,
            "looked_at": seen,
            "errors": errors,
            "warnings": warnings,
            "notes": notes,
            "allowed": allowed,
        }),
    );
    if root.is_none() && papers.licenses.iter().any(|paper| paper.is_signed) {
        page.warnings.push(
            "without --root no signature was verified: this is what the files claim".to_owned(),
        );
    }
    if errors + warnings > 0 {
        let mut names: Vec<&str> = findings
            .iter()
            .filter(|it| !is_allowed(it) && it.weight > Weight::Note)
            .map(|finding| finding.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        page.refusal = Some(
            Refusal::new(Code::LintFound, format!("{errors} errors and {warnings} warnings"))
                .with_next(format!(
                    "Follow each finding, or accept it: --allow {}.",
                    names.join(" --allow ")
                )),
        );
    }
    page
}

/// A rule's name.
fn known(name: &str) -> Result<&'static str, String> {
    if let Some(rule) = RULES.iter().find(|rule| rule.name == name) {
        return Ok(rule.name);
    }
    let near = RULES.iter().map(|rule| (strsim::damerau_levenshtein(rule.name, name), rule.name));
    let names = RULES.map(|rule| rule.name).join(", ");
    Err(match near.min() {
        Some((distance, near)) if distance <= 4 => format!("not a finding; did you mean {near}?"),
        _ => format!("not a finding; there are {names}"),
    })
}
