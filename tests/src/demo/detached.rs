//! First chapter: a site behind an air gap, to which everything is carried by hand.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{
    product::Product,
    site::Site,
    stage::Stage,
    vendor::{Customer, Vendor},
};

/// The customer's organization.
pub(super) const CONTOSO: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";

/// The customer, and somebody else.
const CUSTOMER: Customer<'_> = Customer {
    name: "contoso",
    tenant: CONTOSO,
    license_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e60",
    mode: "detached",
    more: "",
};
const STRANGER: Customer<'_> = Customer {
    name: "northwind",
    tenant: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50",
    license_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e61",
    ..CUSTOMER
};

/// The site as the chapter leaves it, still running.
pub(super) struct Left<'s> {
    pub(super) site: Site<'s>,
    pub(super) token: String,
    pub(super) runtime_id: String,
    /// The hash of the root under which the vendor signs now.
    pub(super) root_sha256: String,
}

/// Tells the chapter; the first thing that is not as it should be is the error.
pub(super) fn tell<'s>(
    stage: &'s Stage,
    agent: &'s Path,
    vendor: &mut Vendor<'s>,
    folder: &Path,
    root_sha256: &str,
) -> Result<Left<'s>> {
    stage.step("At the vendor: a ledger of everything that is signed, and what Contoso shall have");
    vendor.begin_ledger()?;
    vendor.issue(&STRANGER)?;
    vendor.agree(&CUSTOMER)?;

    stage.step("At Contoso, behind an air gap: the agent starts, and trusts nobody yet");
    let mut site = Site::detached(stage, agent, folder, CONTOSO)?;
    site.refuses("northwind.json", "trust.missing")?;
    stage.say("A bundle can't bring its own first root: trust is installed by hand, once.");

    stage.step("It installs the root by its hash, asks by a file, and is answered by one");
    site.farhold(&["trust", "install", "root.1.json", "--sha256", root_sha256])?;
    site.farhold(&["request", "--out", "contoso.request"])?;
    vendor.answer("contoso.request", &CUSTOMER, &[], "contoso.bundle")?;
    site.farhold(&["import", "contoso.bundle"])?;
    stage.say("The license is bound to this machine, and in the ledger.");

    stage.step("A product on the site registers and asks");
    let token = site.token("app")?;
    let mut product = Product::new(stage, site.address(), CONTOSO, &token);
    product.register()?;
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
    product.events("login", 1)?;

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

    stage.step("What will be: in two years, without a renewal, and with a clock that is set back");
    let at = (jiff::Zoned::now().year() + 2).to_string() + "-12-31";
    let foreseen = site.json(&["license", "what-if", "--at", &at, "--clock-back", "30d"])?;
    ensure!(foreseen.to_string().contains("license.expired"), "foreseen was {foreseen}");
    stage.answer("ended, license.expired; a clock set back 30 days gains nothing");

    stage.step("The worst: the license key is stolen, and signs everything, with the last serial");
    vendor.forge(&CUSTOMER, "forged.json")?;
    site.farhold(&["import", "forged.json"])?;
    product.expect("telepathy", None, &json!({"allowed": true}))?;
    let root_sha256 = vendor.replace_license_key()?;
    let root = ["--with", "root.1.json", "--with", "root.2.json"];
    vendor.answer("contoso.request", &CUSTOMER, &root, "recovery.bundle")?;
    site.farhold(&["import", "recovery.bundle", "--dry-run"])?;
    site.farhold(&["import", "recovery.bundle"])?;
    site.refuses("forged.json", "signature.key_revoked")?;
    product.expect("telepathy", None, &json!({"allowed": false}))?;
    product.expect("export", None, &json!({"allowed": true}))?;
    product.expect("report", Some(1), &denied)?;
    stage.say("One new root: what the thief signed fell, what was paid for stayed.");

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
    let runtime_id = product.runtime_id().to_owned();
    Ok(Left { site, token, runtime_id, root_sha256 })
}
