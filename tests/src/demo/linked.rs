//! Second chapter: a site with a network, and the vendor's Kernel at the other end.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{
    kernel::Kernel,
    product::Product,
    site::Site,
    stage::Stage,
    until,
    vendor::{Customer, Vendor},
};

/// The customer with a network.
const FABRIKAM: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e51";
const CUSTOMER: Customer<'_> = Customer {
    name: "fabrikam",
    tenant: FABRIKAM,
    license_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e62",
    mode: "managed",
    more: "",
};

/// Tells the chapter; the first thing that is not as it should be is the error.
pub(super) fn tell<'s>(
    stage: &'s Stage,
    agent: &'s Path,
    vendor: &Vendor<'s>,
    mut kernel: Kernel<'s>,
    folder: &Path,
    root_sha256: &str,
) -> Result<()> {
    stage.step("The vendor's Kernel starts, and knows a second customer");
    kernel.start()?;
    kernel.verb(&["trust", "install", "root.2.json", "--sha256", root_sha256])?;
    kernel.verb(&["tenant", "create", "Fabrikam", "--id", FABRIKAM])?;
    vendor.issue(&CUSTOMER)?;
    kernel.verb(&["license", "upload", "fabrikam.json"])?;

    stage.step("At Fabrikam: an agent enrolls by a token, and pulls what is signed for it");
    let mut site = Site::managed(stage, agent, &folder.join("fabrikam"))?;
    kernel.verb(&["enroll-token", "create", "--tenant", FABRIKAM, "--out", "fabrikam/token"])?;
    site.farhold(&["enroll", "token"])?;
    until("the license to arrive", || {
        let shown = site.quiet_json(&["license", "show"])?;
        Ok(shown["licenses"].as_array().is_some_and(|licenses| !licenses.is_empty()))
    })?;
    stage.say("The token pins the Kernel's CA and the trust root; nothing else was configured.");
    let token = site.token("app")?;
    let mut product = Product::new(stage, site.address(), FABRIKAM, &token);
    product.register()?;
    product.expect("export", None, &json!({"allowed": true, "mode": "online"}))?;

    stage.step("The Kernel is killed; the product goes on being served, and its events wait");
    kernel.kill()?;
    product.expect("export", None, &json!({"allowed": true}))?;
    product.expect("report", Some(1), &json!({"allowed": true, "usage": {"used": 1}}))?;
    let mut kept = product.events("lesson.finished", 200)?;
    let waiting = site.json(&["queue", "stats"])?["events"].as_u64().unwrap_or(0);
    ensure!(waiting >= 200, "only {waiting} records wait");
    stage.answer(&format!("{waiting} records wait on the site's disk"));

    stage.step("The Kernel returns, and the queue drains");
    kernel.start()?;
    drained(&site)?;
    kernel.has_each_once(FABRIKAM, "lesson.finished", &kept)?;

    stage.step("The site's state is restored from a snapshot: nothing is lost, and it shows");
    site.kill()?;
    site.take_snapshot()?;
    site.come_back()?;
    kept.extend(product.events("lesson.finished", 30)?);
    drained(&site)?;
    site.kill()?;
    site.restore_snapshot()?;
    site.come_back()?;
    stage.say("The site has forgotten its last 30 events. The Kernel has not.");
    kept.extend(product.events("lesson.finished", 12)?);
    drained(&site)?;
    kernel.has_each_once(FABRIKAM, "lesson.finished", &kept)?;
    one_alert(stage, &kernel)?;

    stage.step("A runtime is suspended from the Kernel, and resumed");
    let runtime = product.runtime_id();
    kernel.verb(&["runtime", "suspend", runtime, "--tenant", FABRIKAM])?;
    product.until_told("export", &json!({"allowed": false, "reason": "runtime.suspended"}))?;
    kernel.verb(&["runtime", "resume", runtime, "--tenant", FABRIKAM])?;
    product.until_told("export", &json!({"allowed": true, "mode": "online"}))
}

/// Waits until the Kernel's receipts cover all that the site has.
fn drained(site: &Site<'_>) -> Result<()> {
    until("the queue to drain", || {
        let queue = site.quiet_json(&["queue", "stats"])?;
        Ok(queue["events"] == 0)
    })
}

/// Whatever notices it first, a restored snapshot is one alert.
fn one_alert(stage: &Stage, kernel: &Kernel<'_>) -> Result<()> {
    let alerts = kernel.json(&["alerts", "list"])?;
    let alerts = alerts["alerts"].as_array().context("alerts list has no alerts")?;
    let codes: Vec<&str> = alerts.iter().filter_map(|alert| alert["code"].as_str()).collect();
    ensure!(
        matches!(codes[..], ["state.rolled_back" | "chain.forked"]),
        "expected one alert about the restored state, found {codes:?}"
    );
    stage.answer(&format!("one alert: {}", codes[0]));
    Ok(())
}
