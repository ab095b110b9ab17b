//! When a refused bundle is told, by which way it came, and what ends that.

use farhold_agent::importer::{Offer, Way};
use farhold_contract::Code;
use serde_json::json;

use crate::stage::{Ground, Stage, Vendor};

/// A bundle comes by a way; the code of what became of it.
async fn comes(stage: &Stage, way: Way, bundle: &[u8]) -> Option<Code> {
    let imported = stage.importer.import(Offer::by(way, bundle.to_vec())).await;
    imported.err().map(|refusal| refusal.code)
}

async fn rejected(stage: &Stage) -> Option<String> {
    stage.condition("bundle_rejected").await
}

fn for_another_mode(vendor: &Vendor) -> Vec<u8> {
    vendor.license(json!({"serial": 9, "modes": ["managed"]}))
}

#[tokio::test]
async fn a_later_bundle_that_brings_nothing_new_ends_a_refusal_of_its_own_way() {
    for way in [Way::Hand, Way::DropFolder, Way::Kernel] {
        let (ground, vendor) = (Ground::new(), Vendor::new());
        let stage = ground.start().trusting(&vendor).await;
        let (old, new) = (vendor.license(json!({})), vendor.license(json!({"serial": 2})));
        assert_eq!(comes(&stage, way, &new).await, None);
        let wrong = for_another_mode(&vendor);
        assert_eq!(comes(&stage, way, &wrong).await, Some(Code::LicenseMode));
        assert!(rejected(&stage).await.unwrap().contains("license.mode_mismatch"));
        assert_eq!(comes(&stage, way, &new).await, Some(Code::BundleSuperseded), "identical");
        assert_eq!(rejected(&stage).await, None, "{way:?}: all of it is in force");
        comes(&stage, way, &wrong).await;
        assert_eq!(comes(&stage, way, &old).await, Some(Code::BundleSuperseded), "superseded");
        assert_eq!(rejected(&stage).await, None, "{way:?}");
    }
}

#[tokio::test]
async fn what_comes_by_one_way_does_not_hide_what_was_refused_by_another() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    let license = vendor.license(json!({}));
    comes(&stage, Way::DropFolder, &for_another_mode(&vendor)).await;
    assert_eq!(comes(&stage, Way::Kernel, &license).await, None);
    let told = rejected(&stage).await.unwrap();
    assert!(told.contains("from the drop folder: license.mode_mismatch"), "{told}");
    // Found in force by hand: nothing was put right.
    assert_eq!(comes(&stage, Way::Hand, &license).await, Some(Code::BundleSuperseded));
    assert!(rejected(&stage).await.is_some());
    // Whoever imports something new by hand has seen to it.
    assert_eq!(comes(&stage, Way::Hand, &vendor.license(json!({"serial": 2}))).await, None);
    assert_eq!(rejected(&stage).await, None);
}

#[tokio::test]
async fn junk_is_recorded_with_its_reason_and_is_no_condition() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    for junk in [&b"%PDF-1.7\n"[..], b"{}\n", b"\n", &[0xff, 0xfe, 0]] {
        assert!(comes(&stage, Way::DropFolder, junk).await.is_some());
    }
    let theirs = other_vendors_license();
    assert_eq!(comes(&stage, Way::DropFolder, &theirs).await, Some(Code::SignatureKeyUnknown));
    assert_eq!(rejected(&stage).await, None);
    let recorded = stage.events("agent.bundle.refused").await;
    assert_eq!(recorded.len(), 5, "{recorded:?}");
    assert!(recorded.iter().all(|event| event["payload"]["code"].is_string()));
    // From the Kernel it would be no junk, but a fault.
    comes(&stage, Way::Kernel, b"{}\n").await;
    assert!(rejected(&stage).await.unwrap().contains("from the Kernel"));
}

#[tokio::test]
async fn a_document_of_ours_that_is_cut_off_or_bent_matters() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    let license = vendor.license(json!({}));
    let cut_off = &license[..license.len() - 40];
    let mut bent = license.clone();
    bent[60] ^= 1;
    for broken in [cut_off, &bent, b"FH1:GARBLED"] {
        assert!(comes(&stage, Way::DropFolder, broken).await.is_some());
        assert!(rejected(&stage).await.is_some(), "{}", String::from_utf8_lossy(broken));
        comes(&stage, Way::DropFolder, &license).await;
        assert_eq!(rejected(&stage).await, None);
    }
    assert_eq!(stage.events("agent.bundle.refused").await.len(), 3);
}

/// A license under another issuer's root.
fn other_vendors_license() -> Vec<u8> {
    Vendor::new().license(json!({"issuer": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3eff"}))
}
