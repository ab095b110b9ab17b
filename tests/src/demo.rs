//! The demonstration: a vendor, a site without a network, and a product.

mod product;
mod site;
mod stage;
mod vendor;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use product::Product;
use site::Site;
use stage::Stage;
use vendor::Vendor;

/// The customer whose license is signed, and somebody else.
const CONTOSO: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
const NORTHWIND: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50";

/// Tells the story; the first thing that is not as it should be is the error.
///
/// # Errors
/// What was not as it should be.
pub fn run(keep: bool) -> Result<()> {
    let stage = Stage::new();
    stage.say("Farhold: a vendor's word, kept inside a customer's network.");
    stage.say("Everything below is real: real keys, real processes, a real database.");
    stage
        .aside("Building the two binaries as they are shipped; the first time this takes minutes.");
    let tool = crate::binaries::path("license-tool");
    let agent = crate::binaries::path("farhold");
    let began = Instant::now();
    let folder = tempfile::Builder::new()
        .prefix("farhold-demo-")
        .tempdir()
        .context("no temporary folder")?;
    stage.aside(&format!("Working in {}", folder.path().display()));

    stage.step("At the vendor: keys, and a trust root that names them");
    let vendor = Vendor::new(&stage, &tool, folder.path())?;
    let root_sha256 = vendor.make_root()?;
    stage.say("The hash of the root is the one thing a site must get over another channel.");

    stage.step("At the vendor: a license for Contoso, valid for a year");
    vendor.issue("contoso", CONTOSO)?;
    vendor.issue("northwind", NORTHWIND)?;
    vendor.bundle("contoso")?;

    stage.step("At Contoso, behind an air gap: the agent starts, and trusts nobody yet");
    let mut site = Site::start(&stage, &agent, folder.path(), CONTOSO)?;
    site.refuses("contoso.bundle", "trust.missing")?;
    stage.say("A bundle can't bring its own first root: trust is installed by hand, once.");

    stage.step("The site installs the root by its hash, and imports the bundle from a stick");
    site.farhold(&["trust", "install", "root.1.json", "--sha256", &root_sha256])?;
    site.farhold(&["import", "contoso.bundle"])?;

    stage.step("A product on the site registers and asks");
    let token = site.token("app")?;
    let product = Product::register(&stage, site.address(), CONTOSO, &token)?;
    product.expect("export", None, &json!({"allowed": true, "mode": "offline"}))?;
    product.expect(
        "telepathy",
        None,
        &json!({"allowed": false, "reason": "feature.not_granted", "mode": "none"}),
    )?;

    stage.step("It uses up a quota: three reports a month, and no fourth");
    for used in 1..=3 {
        product.expect(
            "report",
            Some(1),
            &json!({"allowed": true, "usage": {"used": used, "remaining": 3 - used}}),
        )?;
    }
    let denied = json!({"allowed": false, "reason": "quota.exhausted", "usage": {"used": 3, "remaining": 0}});
    product.expect("report", Some(1), &denied)?;
    product.event("login", "01a1f0de-0000-7000-8000-000000000001")?;

    stage.step("The agent is killed, without warning, and comes back");
    site.kill()?;
    site.come_back()?;
    product.expect("report", Some(1), &denied)?;
    product.expect("export", None, &json!({"allowed": true}))?;
    stage.say("Same answers: what was acknowledged was on disk.");

    stage.step("Someone is clever: a changed bundle, and somebody else's license");
    vendor.tamper("contoso.bundle", "clever.bundle")?;
    site.refuses("clever.bundle", "signature.invalid")?;
    site.refuses("northwind.json", "tenant.mismatch")?;
    product.expect("export", None, &json!({"allowed": true}))?;
    stage.say("Both refused, each with its reason, and nothing that stood was lost.");

    stage.step("The audit goes out by hand, and the vendor's receipt comes back");
    site.farhold(&["export", "--out", "audit.jsonl"])?;
    let summary = vendor.verify_audit("audit.jsonl", &site.device_key()?)?;
    let records = summary["records"].as_u64().context("the vendor's tool counts no records")?;
    ensure!(records >= 10, "only {records} records were exported");
    vendor.receipt("audit.jsonl", "receipt.json")?;
    site.farhold(&["import", "receipt.json"])?;
    let queue = site.json(&["queue", "stats"])?;
    ensure!(
        queue["acknowledged_seq"].as_u64() == Some(records),
        "the receipt covers {queue}, not {records} records"
    );
    site.farhold(&["audit", "verify"])?;
    stage.say(&format!(
        "{records} records, every one in its place; the site may let go of what the vendor has."
    ));

    stage.done(began.elapsed());
    if keep {
        site.leave_running(folder, &token, product.runtime_id());
    }
    Ok(())
}

/// Whether every member of `expected` is in `actual`, at any depth.
fn contains(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| actual.get(key).is_some_and(|found| contains(found, value))),
        (actual, expected) => actual == expected,
    }
}
