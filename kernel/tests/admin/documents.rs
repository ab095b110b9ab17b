//! The trust root and what the vendor signs under it.

use http::Method;
use serde_json::{Value, json};

use farhold_bundle::Signer;
use farhold_contract::{Code, Sha256Digest};

use crate::{
    stage::{Answer, Stage},
    vendor::Vendor,
};

pub(crate) async fn upload(stage: &Stage, query: &str, bundle: impl Into<Vec<u8>>) -> Answer {
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

#[tokio::test]
async fn a_root_that_revokes_a_key_lets_fall_here_what_the_key_signed() {
    let (stage, vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    upload(&stage, "", [vendor.license(tenant_id, 1), vendor.license(tenant_id, 9)].concat())
        .await
        .ok();
    let dry = upload(&stage, "?dry_run=true", vendor.rotated(2, true)).await.ok();
    let fallen = |answer: &Value| answer["fallen"].as_array().unwrap().len();
    assert_eq!((fallen(&dry), stage.plane.documents().standing.licenses().len()), (2, 2));
    let taken = upload(&stage, "", vendor.rotated(2, true)).await.ok();
    assert_eq!((fallen(&taken), stage.plane.documents().standing.licenses().len()), (2, 0));
    let events = stage.recorded(tenant_id, "kernel.licenses.changed").await;
    assert_eq!(events.len(), 2, "its organization is told");
    let lines = stage.plane.storage.documents().await.unwrap();
    assert_eq!(lines.len(), 2, "two roots: what fell is not kept");
    // The mark fell with them: the next serial is the vendor's to choose.
    upload(&stage, "", vendor.license_by_the_next_key(tenant_id, 2)).await.ok();
    assert_eq!(stage.plane.documents().standing.licenses().len(), 1);
}

#[tokio::test]
async fn what_no_site_could_take_is_told_and_not_sent() {
    let (stage, vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    stage.agent(&[tenant_id]).await;
    upload(&stage, "", vendor.license(tenant_id, 1)).await.ok();
    let list = async || {
        let path = format!("/kernel/admin/tenants/{tenant_id}/licenses");
        let listed = stage.get(path).answer().await.ok();
        let licenses = listed["licenses"].as_array().unwrap().iter();
        let of = |license: &Value| (license["sent_to"].clone(), license["held_back"].clone());
        (listed["agents"].clone(), licenses.map(of).collect::<Vec<_>>())
    };
    assert_eq!(list().await, (json!(1), vec![(json!(1), Value::Null)]));
    let rotated = upload(&stage, "", vendor.rotated(2, false)).await.ok();
    assert_eq!(rotated["fallen"], json!([]));
    let held_back = rotated["held_back"].as_array().unwrap();
    assert_eq!(held_back.len(), 1);
    assert!(held_back[0].as_str().unwrap().contains("serial 1: signed by a key that"));
    assert_eq!(list().await, (json!(1), vec![(json!(0), json!("key_rotated"))]));

    let next = vendor.license_by_the_next_key(tenant_id, 2);
    let replaced = upload(&stage, "", next).await.ok();
    assert!(replaced.get("held_back").is_none(), "the next serial does what is needed");
    let sent = vec![(json!(0), json!("key_rotated")), (json!(1), Value::Null)];
    assert_eq!(list().await, (json!(1), sent));
}

#[tokio::test]
async fn a_license_whose_needs_are_not_met_here_is_refused_before_a_site_has_to() {
    let (stage, vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let needs = |needs: Value| vendor.license_with(tenant_id, 1, json!({"needs": needs}));
    let refused = upload(&stage, "", needs(json!({"root": 2}))).await;
    let detail = refused.refused(Code::BundleIncomplete).detail.unwrap();
    assert!(detail.ends_with("needs root 2; this Kernel would stand at 1"), "{detail}");
    let license = needs(json!({"root": 1, "revocations": 3}));
    upload(&stage, "", license.clone()).await.refused(Code::BundleIncomplete);
    assert!(stage.plane.documents().standing.licenses().is_empty());
    let whole = [license, vendor.revocations(3)].concat();
    assert_eq!(outcomes(&upload(&stage, "", whole).await.ok()), ["new", "new"]);
}

#[tokio::test]
async fn a_license_waits_here_while_the_revocations_that_it_needs_can_not_be_sent() {
    for revoked in [false, true] {
        let (stage, vendor) = Vendor::trusted().await;
        let tenant_id = stage.tenant("Acme Sur").await;
        // Another product's: what is revoked here is not this license.
        let members = json!({
            "needs": {"revocations": 3}, "license_id": "01939b6e-0000-7a31-8b53-0f6f1c2d0077",
        });
        let license = vendor.license_with(tenant_id, 1, members);
        upload(&stage, "", [license, vendor.revocations(3)].concat()).await.ok();
        let root = vendor.with_another_revocation_key(2, revoked);
        let answer = upload(&stage, "", root).await.ok();
        let held_back = answer["held_back"].as_array().unwrap();
        let says = |words| held_back.iter().any(|what| what.as_str().unwrap().contains(words));
        assert!(says("serial 1: it needs a trust root or revocations"), "{held_back:?}");
        assert_eq!(says("revocations generation 3: signed by a key that"), !revoked);
        let path = format!("/kernel/admin/tenants/{tenant_id}/licenses");
        let listed = stage.get(path).answer().await.ok();
        assert_eq!(listed["licenses"][0]["held_back"], "needs_unmet");
    }
}

#[tokio::test]
async fn a_license_that_fits_no_site_is_seen() {
    let (stage, vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let (_, device) = stage.agent(&[tenant_id]).await;
    let hash = "ab".repeat(8);
    let bindings = [
        json!({"device_key": device.public_key()}),
        json!({"fingerprint": {"components": {"machine_id": hash}, "require": 1}}),
        json!("none"),
    ];
    let licenses = (1..).zip(bindings).map(|(serial, binding)| {
        let modes = if serial == 3 { json!(["detached"]) } else { json!(["managed"]) };
        vendor.license_with(tenant_id, serial, json!({"binding": binding, "modes": modes}))
    });
    upload(&stage, "", licenses.collect::<Vec<_>>().concat()).await.ok();
    let path = format!("/kernel/admin/tenants/{tenant_id}/licenses");
    let listed = stage.get(path).answer().await.ok();
    let told = |at: usize| {
        let license = &listed["licenses"][at];
        let word = |member: &str| license[member].as_str().unwrap_or("-").to_owned();
        (word("bound_to"), license["sent_to"].as_u64().unwrap(), word("held_back"))
    };
    let expected = |bound: &str, sent, held: &str| (bound.to_owned(), sent, held.to_owned());
    assert_eq!(told(0), expected("device_key", 1, "-"));
    assert_eq!(listed["licenses"][0]["device_key"], json!(device.public_key()));
    assert_eq!(told(1), expected("fingerprint", 0, "-"));
    assert_eq!(told(2), expected("nothing", 0, "detached"));
    assert!(listed["licenses"][0].get("in_ledger").is_none(), "none is held");
}
