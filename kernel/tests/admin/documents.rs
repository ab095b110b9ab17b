//! The trust root and what the vendor signs under it.

use http::Method;
use serde_json::{Value, json};

use farhold_contract::{Code, Sha256Digest};

use crate::{
    stage::{Answer, Stage},
    vendor::Vendor,
};

async fn upload(stage: &Stage, query: &str, bundle: impl Into<Vec<u8>>) -> Answer {
    let ask = stage.ask(Method::POST, format!("/kernel/admin/bundles{query}"));
    ask.body("application/jsonl", bundle).answer().await
}

async fn install(stage: &Stage, sha256: Sha256Digest, root: impl Into<Vec<u8>>) -> Answer {
    let ask = stage.ask(Method::POST, format!("/kernel/admin/trust?sha256={sha256}"));
    ask.body("application/json", root).answer().await
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let lines = answer["lines"].as_array().unwrap().iter();
    lines.map(|line| line["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_first_root_comes_with_its_hash_and_stays() {
    let stage = Stage::new().await;
    stage.get("/kernel/admin/trust").answer().await.refused(Code::TrustMissing);
    let vendor = Vendor::new(stage.folder.path());
    let (root, sha256) = (vendor.root(1), vendor.root_sha256(1));
    upload(&stage, "", root.clone()).await.refused(Code::TrustMissing);
    install(&stage, Sha256Digest::new([7; 32]), root.clone()).await.refused(Code::TrustHash);
    let without = stage.ask(Method::POST, "/kernel/admin/trust");
    let without = without.body("application/json", root.clone()).answer().await;
    without.refused(Code::UsageInvalid);

    let installed = install(&stage, sha256, root.clone()).await.ok();
    assert_eq!(installed["sha256"], sha256.to_string());
    assert_eq!(stage.get("/kernel/admin/trust").answer().await.ok(), installed);
    assert_eq!(install(&stage, sha256, root).await.ok(), installed, "again is no harm");

    let folder = tempfile::tempdir().unwrap();
    let other = Vendor::new(folder.path());
    let refused = install(&stage, other.root_sha256(1), other.root(1)).await;
    refused.refused(Code::TrustConflict);
    let huge = vec![b' '; (4 << 20) + 1];
    install(&stage, sha256, huge).await.refused(Code::EnvelopeTooLarge);
}

#[tokio::test]
async fn a_license_is_taken_once_its_tenant_is_here() {
    let (stage, vendor) = Vendor::trusted().await;
    let id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f".parse().unwrap();
    let license = vendor.license(id, 1);
    let refused = upload(&stage, "", license.clone()).await.refused(Code::TenantMismatch);
    assert!(refused.detail.unwrap().contains(&id.to_string()), "it says which tenant is missing");
    assert!(stage.plane.documents().standing.licenses().is_empty());

    let asked = json!({"tenant_id": id, "name": "Acme Sur", "type": "company"});
    stage.post("/kernel/admin/tenants", asked).answer().await.created();
    let dry = upload(&stage, "?dry_run=true", license.clone()).await.ok();
    assert_eq!((outcomes(&dry), &dry["applied"]), (vec!["new"], &json!(false)));
    assert!(stage.plane.documents().standing.licenses().is_empty(), "a dry run changes nothing");

    let taken = upload(&stage, "", license.clone()).await.ok();
    assert_eq!((outcomes(&taken), &taken["applied"]), (vec!["new"], &json!(true)));
    assert_eq!(stage.plane.documents().standing.licenses().len(), 1);
    assert_eq!(stage.plane.storage.documents().await.unwrap().len(), 2, "root and license");
    assert_eq!(stage.recorded(id, "kernel.licenses.changed").await.len(), 1);
    upload(&stage, "", license).await.refused(Code::BundleSuperseded);
}

#[tokio::test]
async fn licenses_are_listed_to_their_own_tenant_with_what_decides() {
    let (stage, vendor) = Vendor::trusted().await;
    let (ours, theirs) = (stage.tenant("Ours").await, stage.tenant("Theirs").await);
    let bundle = [vendor.license(ours, 1), vendor.license(ours, 2)].concat();
    upload(&stage, "", bundle).await.ok();
    let list = |id| stage.get(format!("/kernel/admin/tenants/{id}/licenses")).answer();
    let listed = list(ours).await.ok();
    let of = |at: usize, member: &str| listed["licenses"][at][member].clone();
    assert_eq!((of(0, "serial"), of(0, "in_force")), (json!(1), json!(false)));
    assert_eq!((of(1, "serial"), of(1, "in_force")), (json!(2), json!(true)));
    assert_eq!(of(1, "features"), json!(["exams"]));
    assert_eq!(list(theirs).await.ok()["licenses"], json!([]));

    upload(&stage, "", vendor.revocations(1)).await.ok();
    let listed = list(ours).await.ok();
    assert_eq!(listed["licenses"][1]["revoked"], json!(true));
    assert_eq!(listed["licenses"][1]["in_force"], json!(false));
    assert_eq!(stage.recorded(ours, "kernel.licenses.changed").await.len(), 2);
    assert!(stage.recorded(theirs, "kernel.licenses").await.is_empty());
}

#[tokio::test]
async fn a_bundle_with_one_bad_line_changes_nothing() {
    let (stage, vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let mut tampered = vendor.license(tenant_id, 2);
    let at = tampered.windows(7).position(|word| word == b"\"sig\":\"").unwrap() + 10;
    tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
    let bundle = [vendor.license(tenant_id, 1), tampered].concat();
    upload(&stage, "", bundle).await.refused(Code::SignatureInvalid);
    upload(&stage, "", "not a bundle\n").await.refused(Code::EnvelopeMalformed);
    let huge = vec![b' '; (16 << 20) + 1];
    upload(&stage, "", huge).await.refused(Code::BundleTooLarge);
    upload(&stage, "?dry_run=perhaps", "").await.refused(Code::UsageInvalid);
    assert!(stage.plane.documents().standing.licenses().is_empty());
    let refused = stage.recorded(stage.internal(), "kernel.admin.bundle.upload").await;
    assert_eq!(refused.len(), 4);
    assert_eq!(refused[0]["payload"]["refused"], "signature.invalid");
}

#[tokio::test]
async fn the_root_is_rotated_by_a_bundle() {
    let (stage, vendor) = Vendor::trusted().await;
    assert_eq!(outcomes(&upload(&stage, "", vendor.root(2)).await.ok()), ["new"]);
    let trust = stage.get("/kernel/admin/trust").answer().await.ok();
    assert_eq!((&trust["version"], &trust["installed_version"]), (&json!(2), &json!(1)));
    let again = install(&stage, vendor.root_sha256(1), vendor.root(1)).await.ok();
    assert_eq!(again, trust, "the first root again rotates nothing back");
}
