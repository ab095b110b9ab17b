//! A trust root near its end, and past it.

use farhold_bundle::payload::Root;
use http::StatusCode;
use serde_json::json;

use crate::stage::{Ground, Vendor, at};

#[tokio::test]
async fn a_root_near_its_end_is_said_ninety_days_before() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    assert_eq!(stage.condition("trust_root_expiring").await, None);
    stage.stop();
    ground.clock.set(at("2030-10-03T00:00:01Z"));
    let stage = ground.start();
    let hint = stage.condition("trust_root_expiring").await.unwrap();
    assert!(hint.contains("root 1 ends at 2031-01-01T00:00:00Z"), "{hint}");
}

#[tokio::test]
async fn past_its_end_what_stands_stays_new_words_are_refused_and_a_newer_root_heals() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = ground.start().trusting(&vendor).await;
    stage.imports(&vendor.license(json!({"expires_on": "2040-12-31"}))).await;
    stage.stop();
    ground.clock.set(at("2031-01-02T00:00:00Z"));
    let stage = ground.start();
    let hint = stage.condition("trust_root_expiring").await.unwrap();
    assert!(hint.contains("root 1 ended at 2031-01-01T00:00:00Z"), "{hint}");
    assert_eq!(stage.get("/admin/licenses").await["licenses"][0]["in_force"], true);

    let renewal = vendor.license(json!({"serial": 2, "expires_on": "2041-12-31"}));
    let (status, refused) = stage.post("/admin/import", &renewal).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused["code"], "trust.root_expired");
    assert!(refused["action"].as_str().unwrap().contains("newer root"), "{refused}");
    assert!(stage.condition("bundle_rejected").await.unwrap().contains("trust.root_expired"));

    let newer = Root { expires: at("2036-01-01T00:00:00Z"), ..vendor.root(2) };
    stage.imports(&[vendor.signed_root(&newer), renewal].concat()).await;
    assert_eq!(stage.condition("trust_root_expiring").await, None);
    assert_eq!(stage.condition("bundle_rejected").await, None);
    let licenses = stage.get("/admin/licenses").await;
    assert_eq!(
        (&licenses["licenses"][1]["serial"], &licenses["licenses"][1]["in_force"]),
        (&json!(2), &json!(true))
    );
}
