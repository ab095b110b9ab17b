//! What an import says before it does anything, and which bundle alone it then takes.

use farhold_bundle::{Envelope, encode_typed_form};
use farhold_contract::model::RuntimeType;
use http::StatusCode;
use serde_json::{Value, json};

use crate::stage::{Ground, Stage, Vendor, at};

async fn site(ground: &Ground, vendor: &Vendor) -> Stage {
    let stage = ground.start().trusting(vendor).await;
    stage.imports(&vendor.license(json!({"flags": [{"key": "beta", "value": false}]}))).await;
    stage
}

fn renewal(vendor: &Vendor) -> Vec<u8> {
    vendor.license(json!({
        "serial": 2,
        "expires_on": "2028-12-31",
        "entitlements": [
            {"feature": "exams", "limits": {"quota": 20, "time_window": "P1D"}},
            {"feature": "grades", "limits": {}},
        ],
        "flags": [{"key": "beta", "value": true}],
    }))
}

#[tokio::test]
async fn a_dry_run_shows_old_and_new_and_who_would_be_refused() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let lab = stage.runtime(RuntimeType::Labs).await;
    let shown = stage.previews(&renewal(&vendor)).await;
    assert_eq!(shown["applied"], false);
    let changes = &shown["changes"];
    let line = &changes["lines"][0];
    assert_eq!(line["product"], "campus");
    assert_eq!((&line["before"]["serial"], &line["after"]["serial"]), (&json!(1), &json!(2)));
    let entitlement = |feature: &str| {
        let all = line["entitlements"].as_array().unwrap();
        all.iter().find(|one| one["feature"] == feature).unwrap().clone()
    };
    let exams = entitlement("exams");
    assert_eq!((&exams["before"]["quota"], &exams["after"]["quota"]), (&json!(10), &json!(20)));
    assert_eq!(entitlement("lab")["after"], Value::Null, "it is no longer granted");
    assert_eq!(entitlement("lab")["runtime_type"], "labs");
    assert_eq!(entitlement("grades")["before"], Value::Null, "it is new");
    let flag = &line["flags"][0];
    assert_eq!((&flag["before"]["value"], &flag["after"]["value"]), (&json!(false), &json!(true)));
    let terms = line["terms"].as_array().unwrap();
    assert!(terms.iter().any(|term| term["name"] == "expires_on" && term["after"] == "2028-12-31"));
    let stops = changes["stops"].as_array().unwrap();
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert_eq!((&stops[0]["feature"], &stops[0]["runtimes"]), (&json!("lab"), &json!([lab])));
    assert_eq!(stops[0]["before"], json!({"mode": "offline"}));
    assert_eq!(stops[0]["after"], json!({"code": "feature.not_granted"}));
    assert_eq!(changes["begins"][0]["feature"], "grades");
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace_whether_it_is_taken_or_refused() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let (records, copy) = (stage.records(), stage.second_copy());
    let licenses = stage.get("/admin/licenses").await;
    stage.previews(&renewal(&vendor)).await;
    let (status, refused) = stage.post("/admin/import?dry_run=true", b"no bundle\n").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    assert_eq!(stage.records(), records, "nothing was recorded");
    assert_eq!(stage.second_copy(), copy);
    assert_eq!(stage.get("/admin/licenses").await, licenses);
    assert_eq!(stage.condition("bundle_rejected").await, None);
    stage.imports(&renewal(&vendor)).await;
    assert!(stage.records() > records && stage.second_copy() != copy);
}

/// Whoever carries a draft from signer to signer may have changed its date and nothing else.
#[tokio::test]
async fn a_dry_run_tells_that_a_wrong_date_would_move_the_time_of_every_license() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let dated = |year: &str| {
        let mut root = vendor.root(2);
        root.issued_at = at(&format!("{year}-01-01T00:00:00Z"));
        vendor.signed_root(&root)
    };
    let told = stage.previews(&dated("2025")).await;
    assert_eq!(told["changes"]["judged_by"], Value::Null, "{told:#}");
    let told = stage.previews(&dated("2029")).await;
    assert_eq!(told["changes"]["judged_by"], "2029-01-01T00:00:00Z", "{told:#}");
    assert_eq!(told["changes"]["lines"][0]["after"]["phase"], "stopped", "{told:#}");
}

#[tokio::test]
async fn only_the_bundle_that_was_looked_at_is_imported() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let looked_at = renewal(&vendor);
    let sha256 = stage.previews(&looked_at).await["bundle_sha256"].as_str().unwrap().to_owned();
    let path = format!("/admin/import?dry_run=false&expect={sha256}");
    let before = stage.get("/admin/licenses").await;

    let swapped = vendor.license(json!({"serial": 3}));
    let (status, refused) = stage.post(&path, &swapped).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("bundle.unexpected")));
    assert!(refused["detail"].as_str().unwrap().contains(&sha256), "{refused}");
    assert_eq!(stage.get("/admin/licenses").await, before, "nothing changed");
    let told = stage.events("agent.bundle.refused").await;
    assert_eq!(told[0]["payload"]["code"], "bundle.unexpected", "whoever swapped it is recorded");
    assert_eq!(stage.condition("bundle_rejected").await, None, "nobody asked for that one");

    let (status, _) = stage.post("/admin/import?expect=00", &looked_at).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, imported) = stage.post(&path, &looked_at).await;
    assert_eq!((status, &imported["applied"]), (StatusCode::OK, &json!(true)), "{imported}");
    assert_eq!(stage.get("/admin/licenses").await["licenses"][1]["in_force"], true);
}

#[tokio::test]
async fn a_typed_form_has_the_hash_of_the_line_it_stands_for() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let line = renewal(&vendor);
    let typed = encode_typed_form(&Envelope::open(line.trim_ascii_end()).unwrap()).unwrap();
    let plain = stage.previews(&line).await["bundle_sha256"].as_str().unwrap().to_owned();
    let pasted = format!(" {}\n  {}\r\n", &typed[..60], &typed[60..]);
    let path = format!("/admin/import?expect={plain}");
    let (status, imported) = stage.post(&path, pasted.as_bytes()).await;
    assert_eq!(status, StatusCode::OK, "{imported}");
    assert_eq!(imported["bundle_sha256"], plain.as_str());
    let (status, refused) = stage.post("/admin/import", b"FH1:NOT-A-DOCUMENT").await;
    assert_eq!(refused["code"], "typed_form.malformed", "{status}");
}

#[tokio::test]
async fn imports_that_come_at_once_are_done_one_after_the_other() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let serials = 2..=9;
    let bundles: Vec<_> = serials.map(|serial| vendor.license(json!({"serial": serial}))).collect();
    let imports = bundles.into_iter().map(|bundle| {
        let importer = std::sync::Arc::clone(&stage.importer);
        tokio::spawn(async move { importer.import(bundle).await.map(drop) })
    });
    let mut taken = 0;
    for import in imports.collect::<Vec<_>>() {
        match import.await.unwrap() {
            Ok(()) => taken += 1,
            // A higher serial was there first.
            Err(refusal) => assert_eq!(refusal.code.as_str(), "bundle.superseded"),
        }
    }
    assert!(taken >= 1);
    let licenses = stage.get("/admin/licenses").await;
    let all = licenses["licenses"].as_array().unwrap();
    assert_eq!(all.iter().filter(|one| one["in_force"] == true).count(), 1);
    assert_eq!(all.last().unwrap()["serial"], 9);
    assert_eq!(all.last().unwrap()["in_force"], true);
    assert_eq!(stage.events("agent.bundle.imported").await.len(), taken + 1);
}

#[tokio::test]
async fn a_new_root_is_shown_key_by_key_and_what_falls_with_it() {
    let (ground, mut vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let exams = stage.runtime(RuntimeType::Courses).await;
    let next = vendor.replace_license_key(2, true);
    let shown = stage.previews(&vendor.signed_root(&next)).await;
    let trust = &shown["changes"]["trust"];
    assert_eq!((&trust["before"]["version"], &trust["after"]["version"]), (&json!(1), &json!(2)));
    let keys = trust["keys"].as_array().unwrap();
    let of = |change: &str| keys.iter().find(|key| key["change"] == change).unwrap();
    assert_eq!(
        (&of("added")["name"], &of("added")["role"]),
        (&json!("licenses 2027"), &json!("license"))
    );
    assert_eq!(
        (&of("revoked")["name"], &of("revoked")["role"]),
        (&json!("licenses 2026"), &json!("license"))
    );
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert_eq!(shown["fallen"].as_array().unwrap().len(), 1, "{shown}");
    let line = &shown["changes"]["lines"][0];
    assert_eq!(line["lost"][0]["why"], "gone");
    assert_eq!(line["after"], json!({}), "nothing is left of the line");
    let stops = shown["changes"]["stops"].as_array().unwrap();
    assert!(stops.iter().any(|stop| stop["feature"] == "exams"
        && stop["runtimes"] == json!([exams])
        && stop["after"]["code"] == "license.missing"));
}

#[tokio::test]
async fn a_revocation_is_shown_with_what_it_takes() {
    let (ground, vendor) = (Ground::new(), Vendor::new());
    let stage = site(&ground, &vendor).await;
    let shown = stage.previews(&vendor.revocations(3)).await;
    assert_eq!(shown["changes"]["revocations"], json!({"before": 0, "after": 3}));
    let line = &shown["changes"]["lines"][0];
    assert_eq!(line["after"]["code"], "license.revoked");
    assert_eq!(line["lost"][0]["why"], "revoked");
}
