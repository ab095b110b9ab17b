//! `diff`: two licenses, bundles or templates side by side.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use farhold_bundle::{KeyId, LIMITS, TrustRoot, payload::Flag};
use farhold_contract::Sha256Digest;
use farhold_policy::{EntitlementTerms, TermChange};

use super::{
    clock,
    lint::fill,
    page::{Page, one_line},
    trust,
};
use crate::{
    contents::{self, Content},
    diff::{Difference, LineDifference, RevocationChange, Shown, Side, TrustChange, diff},
    file,
    refusal::Refusal,
    verify::verify,
};

/// What `diff` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A license, a bundle or a template: what is
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Another one: what would be
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// The oldest root of both files: verifies what is signed; without it, claims are compared
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// SHA-256 of the root's payload, carried apart from the file; without it, the file is trusted
    #[arg(long, value_name = "HEX", requires = "root")]
    sha256: Option<Sha256Digest>,
}

/// Shows old and new side by side, and what would stop working.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let root = args.root.as_deref().map(|path| trust::open(path, args.sha256)).transpose()?;
    let (old, old_signed) = side(&args.old, root.as_ref())?;
    let (new, new_signed) = side(&args.new, root.as_ref())?;
    let difference = diff(&old, &new);
    let mut text = String::new();
    for line in &difference.lines {
        text.push_str(&line_text(line));
    }
    if let Some(trust) = &difference.trust {
        text.push_str(&trust_text(trust));
    }
    if let Some(revocations) = &difference.revocations {
        text.push_str(&revocation_text(revocations));
    }
    if difference.is_empty() {
        text.push_str("no difference\n");
    } else if difference.losses.is_empty() {
        text.push_str("nothing that worked would stop\n");
    } else {
        text.push_str("what worked and would not:\n");
        for loss in &difference.losses {
            let (product, what) = (&loss.line.product, one_line(&loss.what));
            text.push_str(&format!("  {product} of {}: {what}\n", loss.line.tenant_id));
        }
    }
    let page = Page::new(text, object(&difference));
    let unverified = root.is_none() && (old_signed || new_signed);
    let warning = "without --root no signature was verified: this is what the files claim";
    Ok(page.with_warnings(unverified.then(|| warning.to_owned()).into_iter().collect()))
}

/// What a file holds, verified where a root is given; and whether anything in it is signed.
fn side(path: &Path, root: Option<&TrustRoot>) -> Result<(Side, bool), Refusal> {
    let of_file = |refusal: Refusal| refusal.of_file(path);
    let bytes = file::read(path, LIMITS.bundle_bytes)?;
    let now = clock::now();
    let contents = contents::read(&bytes, fill(root, now)).map_err(of_file)?;
    let is_signed = contents.iter().any(|content| !matches!(content, Content::Template(_)));
    if let Some(root) = root.filter(|_| is_signed) {
        verify(root, &bytes, now).map_err(of_file)?;
    }
    Ok((Side::of(contents).map_err(of_file)?, is_signed))
}

fn line_text(line: &LineDifference) -> String {
    let shown = |shown: &Option<Shown>| match shown {
        None => "(nothing)".to_owned(),
        Some(Shown { license_id, serial: Some(serial) }) => {
            format!("license {license_id} serial {serial}")
        }
        Some(Shown { license_id, serial: None }) => format!("template of license {license_id}"),
    };
    let mut text = format!(
        "{} of tenant {}\n  {} -> {}\n",
        line.line.product,
        line.line.tenant_id,
        shown(&line.before),
        shown(&line.after)
    );
    if line.after.is_none() {
        text.push_str("  a site that has it goes on with it\n");
        return text;
    }
    for TermChange { name, before, after } in &line.content.terms {
        text.push_str(&row(name, before.as_deref(), after.as_deref()));
    }
    for change in &line.content.entitlements {
        let name = format!("{} for {}", change.feature, change.scope);
        let (before, after) =
            (change.before.as_ref().map(terms_text), change.after.as_ref().map(terms_text));
        text.push_str(&row(&name, before.as_deref(), after.as_deref()));
    }
    for change in &line.content.flags {
        let name = format!("flag {}", change.key);
        let (before, after) =
            (change.before.as_ref().map(flag_text), change.after.as_ref().map(flag_text));
        text.push_str(&row(&name, before.as_deref(), after.as_deref()));
    }
    text
}

fn row(name: &str, before: Option<&str>, after: Option<&str>) -> String {
    let side = |value: Option<&str>| value.map_or_else(|| "(none)".to_owned(), one_line);
    format!("  {}: {} -> {}\n", one_line(name), side(before), side(after))
}

fn terms_text(terms: &EntitlementTerms) -> String {
    let limits = &terms.limits;
    let mut parts = vec![match limits.quota {
        None => "unlimited".to_owned(),
        Some(quota) => format!("quota {quota}"),
    }];
    parts.extend(limits.time_window.as_ref().map(|window| format!("each {window}")));
    parts.extend(limits.overage.map(|overage| format!("overage {overage}")));
    parts.extend(limits.concurrency.map(|at_once| format!("{at_once} at once")));
    parts.extend(terms.valid_until.map(|until| format!("until {until}")));
    parts.extend(terms.ladder.as_ref().map(|ladder| format!("own ladder {}", json!(ladder))));
    parts.join(", ")
}

fn flag_text(flag: &Flag) -> String {
    let versions = flag.versions.as_ref();
    format!("{}{}", json!(flag.value), versions.map_or(String::new(), |it| format!(" for {it}")))
}

fn trust_text(trust: &TrustChange) -> String {
    let before = trust.before.map_or_else(|| "(none)".to_owned(), |version| version.to_string());
    let mut text = format!("root {before} -> {}\n", trust.after);
    if let Some((before, after)) = trust.expires {
        text.push_str(&format!("  expires: {before} -> {after}\n"));
    }
    for change in &trust.roles {
        let ids = |sign: &str, ids: &[KeyId]| -> String {
            ids.iter().map(|id| format!("  {} key {sign} {id}\n", change.role)).collect()
        };
        text.push_str(&ids("+", &change.added));
        text.push_str(&ids("-", &change.removed));
        if let Some((before, after)) = change.threshold {
            text.push_str(&format!("  {} threshold: {before} -> {after}\n", change.role));
        }
    }
    for id in &trust.revoked {
        text.push_str(&format!("  revoked: {id}\n"));
    }
    for ca in &trust.kernel_ca_added {
        text.push_str(&format!("  kernel CA + {ca}\n"));
    }
    for ca in &trust.kernel_ca_removed {
        text.push_str(&format!("  kernel CA - {ca}\n"));
    }
    text
}

fn revocation_text(change: &RevocationChange) -> String {
    let before = change.before.map_or_else(|| "(none)".to_owned(), |it| it.to_string());
    let mut text = format!("revocations generation {before} -> {}\n", change.after);
    for id in &change.licenses {
        text.push_str(&format!("  revoked: license {id}\n"));
    }
    for bound in &change.serials_below {
        text.push_str(&format!("  revoked: {}\n", one_line(bound)));
    }
    text
}

fn object(difference: &Difference) -> Value {
    let lines: Vec<Value> = difference.lines.iter().map(line_object).collect();
    let losses: Vec<Value> = difference
        .losses
        .iter()
        .map(|loss| {
            json!({
                "tenant_id": loss.line.tenant_id,
                "product": loss.line.product,
                "what": loss.what,
            })
        })
        .collect();
    json!({
        "same": difference.is_empty(),
        "lines": lines,
        "root": difference.trust.as_ref().map(trust_object),
        "revocations": difference.revocations.as_ref().map(|change| json!({
            "before": change.before,
            "after": change.after,
            "licenses": change.licenses,
            "serials_below": change.serials_below,
        })),
        "losses": losses,
    })
}

fn line_object(line: &LineDifference) -> Value {
    let shown = |shown: &Option<Shown>| {
        shown.map(|it| json!({ "license_id": it.license_id, "serial": it.serial }))
    };
    let terms = line.content.terms.iter();
    let entitlements = line.content.entitlements.iter();
    let flags = line.content.flags.iter();
    json!({
        "tenant_id": line.line.tenant_id,
        "product": line.line.product,
        "before": shown(&line.before),
        "after": shown(&line.after),
        "terms": terms.map(|change| json!({
            "name": change.name,
            "before": change.before,
            "after": change.after,
        })).collect::<Vec<_>>(),
        "entitlements": entitlements.map(|change| json!({
            "feature": &*change.feature,
            "scope": change.scope.to_string(),
            "before": change.before.as_ref().map(terms_object),
            "after": change.after.as_ref().map(terms_object),
        })).collect::<Vec<_>>(),
        "flags": flags.map(|change| json!({
            "key": change.key,
            "before": change.before,
            "after": change.after,
        })).collect::<Vec<_>>(),
    })
}

fn terms_object(terms: &EntitlementTerms) -> Value {
    json!({
        "quota": terms.limits.quota,
        "time_window": terms.limits.time_window,
        "overage": terms.limits.overage,
        "concurrency": terms.limits.concurrency,
        "valid_until": terms.valid_until,
        "ladder": terms.ladder,
    })
}

fn trust_object(trust: &TrustChange) -> Value {
    let roles = trust.roles.iter().map(|change| {
        json!({
            "role": change.role.to_string(),
            "added": change.added,
            "removed": change.removed,
            "threshold": change.threshold,
        })
    });
    json!({
        "before": trust.before,
        "after": trust.after,
        "expires": trust.expires,
        "roles": roles.collect::<Vec<_>>(),
        "revoked": trust.revoked,
        "kernel_ca_added": trust.kernel_ca_added,
        "kernel_ca_removed": trust.kernel_ca_removed,
    })
}
