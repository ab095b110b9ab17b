//! Activating: from a bundle's bytes at the admin door to a license that decides.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{
    report::{Bar, Report},
    samples::Samples,
    subject::feature,
};
use crate::{
    http::Address,
    site::{Document, LicenseDraft, Site, Vendor},
};

const ENTITLEMENTS: usize = 10_000;
const ROUNDS: usize = 9;
const IMPORT_PATH: &str = "/admin/import";

/// Measures it.
///
/// # Errors
/// If the agent can't be run, or refuses the bundle.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!(
        "Import of a license of {ENTITLEMENTS} entitlements at the admin door: verified, committed, \
         second copy, in force ({ROUNDS} rising serials)"
    ));
    let vendor = Vendor::new();
    let mut last = vendor.license(granting);
    let site = Site::new(&vendor).trusting().holding(&last);
    let mut preview = Samples::default();
    let mut import = Samples::default();
    for _ in 0..ROUNDS {
        last = vendor.license(|license| granting(license).renewing(&last));
        preview.add(post(&site, &format!("{IMPORT_PATH}?dry_run=true"), &last)?);
        import.add(post(&site, IMPORT_PATH, &last)?);
    }
    let bytes = last.bytes().len() as f64 / 1e3;
    report.figure("the bundle", &bytes.into(), "kB");
    report.figure("the same as a dry run", &preview, "ms");
    report.bar("request → answer, in force", &import, "ms", Bar::AtMost(50.0));
    Ok(())
}

fn granting(license: LicenseDraft) -> LicenseDraft {
    (0..ENTITLEMENTS).fold(license, |license, at| license.feature(&feature(at)))
}

/// Milliseconds from the first byte of the request to the last of the answer.
fn post(site: &Site, path: &str, bundle: &Document) -> Result<f64> {
    let body = bundle.bytes();
    let headers = [("content-type", "application/jsonl"), ("x-correlation-id", "bench")];
    let begun = Instant::now();
    let answer = Address::Unix(site.admin_socket()).call("POST", path, &headers, &body)?;
    let took = begun.elapsed();
    ensure!(answer.status == 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    Ok(took.as_secs_f64() * 1e3)
}
