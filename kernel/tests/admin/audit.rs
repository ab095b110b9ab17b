//! The audit: each tenant's own, filtered, page by page; and every chain recomputed.

use serde_json::{Value, json};

use farhold_audit::{ChainPosition, Class, Epoch, Opening, Previous, event_hash, inspect_recorded};
use farhold_bundle::{Positive, Signer, payload::Receipt, seal};
use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
};
use farhold_kernel::storage::{
    Batch, EventIdentity, Refused, Taken, TakenBody, TakenRecord, no_trail,
};

use crate::{stage::Stage, vendor::Vendor};

const EPOCH: Epoch = Epoch::new([7; 16]);

/// An agent's chain from a place in it: a record for each number, the third one's content refused.
struct Chain {
    agent: RuntimeId,
    tenant_id: TenantId,
    opening: Opening,
}

impl Chain {
    fn batch(&self, stage: &Stage, before: ChainPosition, numbers: &[u8]) -> Batch {
        let now = stage.plane.now();
        let mut position = before;
        let records = numbers.iter().map(|&number| {
            let event = event(self.tenant_id, number).to_string().into_bytes();
            let (salt, head) = ([number; 16], inspect_recorded(&event).unwrap());
            let (event_id, kind) = (head.event_id, head.kind);
            let class = Class::of(&kind);
            let link = position.append(now, self.tenant_id, class, event_hash(&salt, &event));
            let refused = (number == 3).then(|| Refused {
                code: Code::EventRefused,
                detail: "for the test".to_owned(),
                listed_under: self.tenant_id,
            });
            TakenRecord {
                link,
                head: position.head,
                body: TakenBody::Kept { salt, event },
                event: Some(EventIdentity { event_id, kind, runtime_id: None }),
                refused,
            }
        });
        let records = records.collect();
        let (agent, opening) = (self.agent, self.opening);
        Batch { agent, opening, before, receipt: None, received_at: now, records }
    }

    fn start(&self) -> ChainPosition {
        ChainPosition::start(&self.opening)
    }
}

fn event(tenant_id: TenantId, number: u8) -> Value {
    json!({
        "event_id": format!("01939b6e-5e71-7c53-8d75-2b803e4f50{number:02}"),
        "tenant_id": tenant_id,
        "actor_type": "user",
        "actor_id": "u-1",
        "type": if number == 1 { "login" } else { "feature.used" },
        "timestamp": "2027-01-15T07:00:00Z",
        "correlation_id": format!("c-{number}"),
        "payload": {"number": number},
    })
}

/// A stage with a tenant, and an agent of it whose batch was taken.
async fn with_batch() -> (Stage, Chain) {
    let (stage, _vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let (agent, signer) = stage.agent(&[tenant_id]).await;
    let device_key_id = signer.public_key().id();
    let opening = Opening { device_key_id, epoch: EPOCH, previous: Previous::NONE };
    let chain = Chain { agent, tenant_id, opening };
    let batch = chain.batch(&stage, chain.start(), &[1, 2, 3]);
    let taken = stage.plane.storage.take_batch(batch, no_trail).await.unwrap();
    assert!(matches!(taken, Taken::Accepted { new: 3, forked: false, .. }));
    (stage, chain)
}

async fn listed(stage: &Stage, tenant_id: TenantId, query: &str) -> Vec<Value> {
    let path = format!("/kernel/admin/tenants/{tenant_id}/audit/events?{query}");
    let answer = stage.get(path).answer().await.ok();
    answer["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn events_of_a_site_are_listed_to_their_tenant_with_where_they_are_kept() {
    let (stage, Chain { tenant_id, agent, .. }) = with_batch().await;
    let events = listed(&stage, tenant_id, "type=login").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["agent_id"], agent.to_string());
    assert_eq!((&events[0]["seq"], &events[0]["class"]), (&json!(1), &json!("session")));
    assert_eq!(events[0]["epoch"], EPOCH.to_string());
    assert_eq!(events[0]["event"]["payload"]["number"], 1);

    let id = "event_id=01939b6e-5e71-7c53-8d75-2b803e4f5002";
    assert_eq!(listed(&stage, tenant_id, id).await[0]["event"]["type"], "feature.used");
    let of_agent = listed(&stage, tenant_id, &format!("agent={agent}")).await;
    assert!(of_agent.len() >= 2 && of_agent.iter().all(|event| event["agent_id"].is_string()));
    assert_eq!(listed(&stage, tenant_id, "text=c-2&type=feature").await.len(), 1);
    assert!(listed(&stage, tenant_id, "to=2027-01-01T00:00:00Z").await.is_empty());
    assert!(!listed(&stage, tenant_id, "from=2027-01-01T00:00:00Z").await.is_empty());
}

#[tokio::test]
async fn nothing_of_one_tenant_is_listed_to_another() {
    let (stage, Chain { tenant_id, agent, .. }) = with_batch().await;
    let other = stage.tenant("Other").await;
    for query in [
        "limit=1000".to_owned(),
        format!("agent={agent}"),
        "event_id=01939b6e-5e71-7c53-8d75-2b803e4f5001".to_owned(),
        "text=c-1".to_owned(),
    ] {
        for event in listed(&stage, other, &query).await {
            assert_eq!(event["event"]["tenant_id"], other.to_string());
        }
    }
    let path = |id| format!("/kernel/admin/tenants/{id}/dead-letters");
    assert_eq!(stage.get(path(other)).answer().await.ok()["dead_letters"], json!([]));
    let letters = stage.get(path(tenant_id)).answer().await.ok();
    let letter = &letters["dead_letters"][0];
    assert_eq!((&letter["code"], &letter["seq"]), (&json!("event.refused"), &json!(3)));
    assert_eq!(letter["agent_id"], agent.to_string());
    assert!(letter["event"].as_str().unwrap().contains("c-3"));
}

#[tokio::test]
async fn a_listing_goes_on_where_its_page_ended_in_either_order() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    for _ in 0..4 {
        stage.runtime_token(tenant_id).await;
    }
    let whole = listed(&stage, tenant_id, "limit=1000").await;
    assert_eq!(whole.len(), 5);
    for order in ["oldest", "newest"] {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let query = format!("order={order}&limit=2{after}");
            let path = format!("/kernel/admin/tenants/{tenant_id}/audit/events?{query}");
            let page = stage.get(path).answer().await.ok();
            found.extend(page["events"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        if order == "newest" {
            found.reverse();
        }
        assert_eq!(found, whole, "{order}");
    }
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_refused_and_who_looked_is_known() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let path = format!("/kernel/admin/tenants/{tenant_id}/audit/events");
    for query in
        ["limit=0", "order=random", "from=yesterday", "after=%21", "text=", "agent=x", "typo=1"]
    {
        stage.get(format!("{path}?{query}")).answer().await.refused(Code::UsageInvalid);
    }
    stage.get(format!("{path}?text=ana@acme.example")).answer().await.ok();
    let looked = stage.recorded(stage.internal(), "kernel.admin.audit.list").await;
    let last = &looked.last().unwrap()["payload"];
    assert_eq!((&last["tenant_id"], &last["by"]), (&json!(tenant_id), &json!(["text"])));
    assert!(!last.to_string().contains("ana@"), "what was looked for may be personal");
}

#[tokio::test]
async fn every_chain_is_recomputed_and_a_refused_content_breaks_none() {
    let (stage, Chain { agent, .. }) = with_batch().await;
    let verified = stage.get("/kernel/admin/audit/verify").answer().await.ok();
    assert_eq!(verified["intact"], true);
    let chains = verified["chains"].as_array().unwrap();
    assert_eq!(chains.len(), 2);
    assert!(chains[0].get("agent_id").is_none(), "the Kernel's own comes first");
    assert!(chains[0]["records"].as_u64().unwrap() > 3);
    assert_eq!(chains[1]["agent_id"], agent.to_string());
    for (member, value) in [("records", 3), ("branches", 0), ("refused", 1)] {
        assert_eq!(chains[1][member], value, "{member}");
    }
    let path = format!("/kernel/admin/audit/verify?agent={agent}");
    let one = stage.get(path).answer().await.ok();
    assert_eq!(one["chains"], json!([chains[1]]));
    let nobody = "/kernel/admin/audit/verify?agent=01939b6e-3c5f-7a31-8b53-0f6f1c2dffff";
    stage.get(nobody).answer().await.refused(Code::RequestNotFound);
}

#[tokio::test]
async fn a_forked_chain_is_intact_with_two_heads() {
    let (stage, chain) = with_batch().await;
    let mut after_first = chain.batch(&stage, chain.start(), &[1]);
    let link = after_first.records.remove(0);
    let after_first = ChainPosition { seq: 1, head: link.head };
    let fork = chain.batch(&stage, after_first, &[4, 5]);
    let taken = stage.plane.storage.take_batch(fork, no_trail).await.unwrap();
    assert!(matches!(taken, Taken::Accepted { new: 2, forked: true, .. }));
    let path = format!("/kernel/admin/audit/verify?agent={}", chain.agent);
    let verified = stage.get(path).answer().await.ok();
    assert_eq!(verified["intact"], true, "both histories are kept, and both hold");
    let forked = &verified["chains"][0];
    assert_eq!((&forked["records"], &forked["branches"]), (&json!(5), &json!(1)));
    assert_eq!(forked["heads"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn records_that_a_receipt_stands_for_are_named_as_missing_until_they_come() {
    let (stage, vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let (agent, signer) = stage.agent(&[tenant_id]).await;
    let device_key_id = signer.public_key().id();
    let opening = Opening { device_key_id, epoch: EPOCH, previous: Previous::NONE };
    let chain = Chain { agent, tenant_id, opening };
    let first = chain.batch(&stage, chain.start(), &[1, 2]);
    let to = ChainPosition { seq: 2, head: first.records[1].head };
    let receipt = Receipt {
        device_key: signer.public_key().clone(),
        epoch: EPOCH.to_string(),
        seq: Positive::new(2).unwrap(),
        head: to.head.into(),
        received_at: stage.plane.now(),
    };
    let kernel = vendor.kernel_key();
    let mut after = chain.batch(&stage, to, &[4, 5]);
    after.receipt = Some(seal(&receipt, kernel).unwrap());
    stage.plane.storage.take_batch(after, no_trail).await.unwrap();

    let path = format!("/kernel/admin/audit/verify?agent={agent}");
    let verified = stage.get(path.clone()).answer().await.ok();
    let found = &verified["chains"][0];
    assert_eq!((&verified["intact"], &found["records"]), (&json!(true), &json!(2)), "{verified}");
    let missing = json!([{
        "from": 1, "to": 2, "received_at": receipt.received_at,
        "receipt_key_ids": [kernel.public_key().id()],
    }]);
    assert_eq!((&found["missing"], &found["branches"]), (&missing, &json!(0)));

    // A receipt changed in the database stands for nothing.
    let database = rusqlite::Connection::open(stage.folder.path().join("kernel/kernel.db"));
    let database = database.unwrap();
    let kept: Vec<u8> =
        database.query_row("SELECT receipt FROM missing", [], |row| row.get(0)).unwrap();
    let other = Receipt { seq: Positive::new(3).unwrap(), ..receipt };
    for forged in [seal(&other, kernel).unwrap(), seal(&other, &signer).unwrap(), Vec::new()] {
        database.execute("UPDATE missing SET receipt = ?1", [&forged]).unwrap();
        let verified = stage.get(path.clone()).answer().await.ok();
        let fault = verified["chains"][0]["fault"].as_str().unwrap();
        assert!(fault.starts_with("the receipt for record 2"), "{fault}");
    }
    database.execute("UPDATE missing SET receipt = ?1", [&kept]).unwrap();

    // They came another way: an older state of the site sent them.
    stage.plane.storage.take_batch(first, no_trail).await.unwrap();
    let verified = stage.get(path).answer().await.ok();
    let found = &verified["chains"][0];
    assert_eq!((&verified["intact"], &found["records"]), (&json!(true), &json!(4)), "{verified}");
    assert!(found.get("missing").is_none(), "{verified}");
}

#[tokio::test]
async fn an_event_changed_in_the_database_is_found_where_it_was_changed() {
    let (stage, chain) = with_batch().await;
    let database = rusqlite::Connection::open(stage.folder.path().join("kernel/kernel.db"));
    let changed = database.unwrap().execute(
        "UPDATE record SET event = CAST(replace(CAST(event AS TEXT), '\"number\":2', \
         '\"number\":9') AS BLOB) WHERE instr(event, CAST('\"number\":2' AS BLOB)) > 0",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let verified = stage.get("/kernel/admin/audit/verify").answer().await.ok();
    assert_eq!(verified["intact"], false);
    let chains = verified["chains"].as_array().unwrap();
    assert!(chains[0].get("fault").is_none(), "the Kernel's own still holds");
    assert_eq!(chains[1]["agent_id"], chain.agent.to_string());
    let fault = chains[1]["fault"].as_str().unwrap();
    assert!(fault.contains("record 2 "), "{fault}");
    let told = stage.recorded(stage.internal(), "kernel.admin.audit.verify").await;
    assert_eq!(told[0]["payload"]["intact"], false);
}
