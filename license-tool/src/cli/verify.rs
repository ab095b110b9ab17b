//! `verify`: what a site at one root would make of a file.

use std::path::PathBuf;

use serde_json::{Value, json};

use farhold_bundle::{ImportPlan, LIMITS, LineOutcome};
use farhold_contract::{Date, Timestamp};
use farhold_policy::LicenseView;

use super::{
    clock,
    page::{Page, one_line},
    trust::TrustArgs,
};
use crate::{
    file,
    refusal::Refusal,
    verify::{self, Finding},
};

/// What `verify` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A document, a bundle or a typed form
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// The day (its start in UTC) or time for which each license's phase is said; now if not said
    #[arg(long, value_name = "DATE|TIME", value_parser = instant)]
    at: Option<Timestamp>,
}

/// Verifies a file, and says where each license stands at one time.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let root = args.trust.open()?;
    let bytes = file::read(&args.file, LIMITS.bundle_bytes)?;
    let now = clock::now();
    let at = args.at.unwrap_or(now);
    // Whether a word is taken is a question of today, whatever day is asked about.
    let found =
        verify::verify(&root, &bytes, now).map_err(|refusal| refusal.of_file(&args.file))?;
    let trusted = json!({ "version": root.version(), "sha256": root.root().sha256() });
    let Finding::Documents(plan) = found else {
        let text =
            format!("verified: root {} itself, SHA-256 {}\n", root.version(), root.root().sha256());
        let json =
            json!({ "verified": true, "root": trusted, "at": at, "lines": [], "licenses": [] });
        let ahead = clock::ahead(root.root().issued_at).into_iter().collect();
        return Ok(Page::new(text, json).with_warnings(ahead));
    };
    let licenses = verify::licenses_at(&plan.standing, at);
    let mut text = format!("verified under root {}\n{}", root.version(), plan_text(&plan));
    for license in &licenses {
        text.push_str(&format!(
            "at {at}: license {} serial {} of {} is {}\n",
            license.license_id,
            license.serial,
            license.product,
            verify::word(license),
        ));
    }
    let mut json = plan_object(&plan);
    json["verified"] = Value::from(true);
    json["root"] = trusted;
    json["at"] = json!(at);
    json["licenses"] = licenses.iter().map(license_object).collect();
    Ok(Page::new(text, json).with_warnings(clock::ahead_in(&plan.standing)))
}

/// The plan for people: one line a document.
pub(super) fn plan_text(plan: &ImportPlan) -> String {
    let lines = plan.lines.iter().map(|line| {
        format!("line {}: {} ({})\n", line.line, one_line(&line.name), word(line.outcome))
    });
    let fallen = plan.fallen.iter().map(|name| format!("falls with its key: {name}\n"));
    lines.chain(fallen).collect()
}

/// The plan for programs.
pub(super) fn plan_object(plan: &ImportPlan) -> Value {
    let lines = plan.lines.iter().map(|line| {
        json!({
            "line": line.line,
            "type": line.document.as_str(),
            "name": line.name,
            "outcome": word(line.outcome),
        })
    });
    json!({ "lines": lines.collect::<Vec<_>>(), "fallen": plan.fallen })
}

fn license_object(license: &LicenseView) -> Value {
    json!({
        "license_id": license.license_id,
        "serial": license.serial,
        "product": &*license.product,
        "issued_to": license.issued_to,
        "tenant_id": license.tenant_id,
        "phase": verify::word(license),
        "begins": license.timeline.begins,
        "warns_at": license.timeline.warns_at,
        "ends": license.timeline.ends,
        "grace_ends": license.timeline.grace_ends,
        "restrict_ends": license.timeline.restrict_ends,
    })
}

const fn word(outcome: LineOutcome) -> &'static str {
    match outcome {
        LineOutcome::New => "new",
        LineOutcome::Known => "known",
        LineOutcome::Superseded => "superseded",
    }
}

/// An instant on the command line: a day begins in UTC.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let neither =
        || "neither a date like 2027-01-31 nor a time like 2027-01-31T12:00:00Z".to_owned();
    let day: Date = text.parse().map_err(|_| neither())?;
    let start = day.civil().to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| neither())?;
    Ok(start.timestamp().into())
}
