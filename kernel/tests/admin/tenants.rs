//! Organizations: created, listed page by page, never two of one id.

use serde_json::json;

use farhold_contract::Code;

use crate::stage::Stage;

#[tokio::test]
async fn a_tenant_is_created_with_a_new_id_or_with_the_one_its_license_names() {
    let stage = Stage::new().await;
    let asked = json!({"name": "Acme Sur", "type": "company"});
    let minted = stage.post("/kernel/admin/tenants", asked).answer().await.created();
    assert_eq!(minted["status"], "active");
    assert_eq!(minted["policies"]["security_level"], "standard");

    let id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
    let asked = json!({
        "tenant_id": id, "name": "Ana", "type": "individual",
        "policies": {"security_level": "enterprise", "data_residency": "eu"},
    });
    let create = stage.post("/kernel/admin/tenants", asked);
    let given = create.clone().answer().await.created();
    assert_eq!(given["tenant_id"], id);
    let shown = stage.get(format!("/kernel/admin/tenants/{id}")).answer().await.ok();
    assert_eq!(shown, given);
    create.answer().await.refused(Code::UsageInvalid);

    let left = stage.recorded(id.parse().unwrap(), "kernel.tenant.created").await;
    assert_eq!(left.len(), 1, "the organization sees it, once");
}

#[tokio::test]
async fn a_tenant_that_makes_no_sense_is_refused() {
    let stage = Stage::new().await;
    let refused = |body| stage.post("/kernel/admin/tenants", body).answer();
    refused(json!({"name": "", "type": "company"})).await.refused(Code::UsageInvalid);
    refused(json!({"name": "a\nb", "type": "company"})).await.refused(Code::UsageInvalid);
    refused(json!({"name": "x".repeat(257), "type": "company"})).await.refused(Code::UsageInvalid);
    refused(json!({"name": "Second", "type": "internal"})).await.refused(Code::UsageInvalid);
    refused(json!({"name": "A", "type": "club"})).await.refused(Code::RequestMalformed);
    refused(json!({"name": "A"})).await.refused(Code::RequestMalformed);
    refused(json!({"name": "A", "type": "company", "typo": 1}))
        .await
        .refused(Code::RequestMalformed);
    refused(json!({"name": "A", "type": "company", "tenant_id": null}))
        .await
        .refused(Code::RequestMalformed);
    let plain = stage.post("/kernel/admin/tenants", json!({})).body("text/plain", "{}");
    plain.answer().await.refused(Code::RequestMediaType);
}

#[tokio::test]
async fn a_listing_goes_on_where_its_page_ended() {
    let stage = Stage::new().await;
    let mut created = vec![stage.internal()];
    for name in ["One", "Two", "Three"] {
        created.push(stage.tenant(name).await);
    }
    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/kernel/admin/tenants?limit=2{after}");
        let page = stage.get(path).answer().await.ok();
        let rows = page["tenants"].as_array().unwrap();
        assert!(rows.len() <= 2);
        listed.extend(rows.iter().map(|row| row["tenant_id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let mut created: Vec<String> = created.iter().map(ToString::to_string).collect();
    created.sort();
    listed.sort();
    assert_eq!(listed, created);
    for query in ["limit=0", "limit=1001", "limit=x", "after=x", "other=1"] {
        let refused = stage.get(format!("/kernel/admin/tenants?{query}")).answer().await;
        refused.refused(Code::UsageInvalid);
    }
}
