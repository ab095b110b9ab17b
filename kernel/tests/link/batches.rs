//! Batches: taken in once, held to their chain, refused by what is wrong with them.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use farhold_audit::{Class, applies};
use farhold_bundle::{Envelope, Signer, Verified, payload::Receipt};
use farhold_contract::{AlertCode, id::TenantId};
use farhold_kernel::storage::{AuditQuery, Order};

use crate::{
    agent::{Agent, compressed, event},
    vendor::{tenant_a, tenant_b},
    world::{World, code, tls, told},
};

#[tokio::test]
async fn a_batch_is_taken_in_and_answered_with_a_receipt_the_root_vouches_for() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a(), tenant_b()]).await;
    agent.chain.grow(tenant_a(), 30);
    agent.chain.grow(tenant_b(), 20);
    let (status, answer) = told(agent.push(&world, agent.batch(0)).await).await;
    assert_eq!(status, 200, "{answer}");
    let end = agent.chain.end();
    assert_eq!((&answer["seq"], &answer["refused"]), (&json!(end.seq), &json!([])));
    assert_eq!(answer["head"], json!(end.head));

    let receipt = receipt(&world, &answer);
    let device = agent.device.public_key();
    applies(&receipt, device, &agent.chain.opening.epoch, Some(end.head)).unwrap();
    assert_eq!((events(&world, tenant_a()).await, events(&world, tenant_b()).await), (30, 20));
    assert!(world.alerts().await.is_empty());
}

#[tokio::test]
async fn the_same_batch_again_is_receipted_again_and_kept_once() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 10);
    for _ in 0..3 {
        let (status, answer) = told(agent.push(&world, agent.batch(0)).await).await;
        assert_eq!((status, &answer["seq"]), (200, &json!(10)), "{answer}");
    }
    // What overlaps is taken in from where it is new.
    agent.chain.grow(tenant_a(), 10);
    let (status, answer) = told(agent.push(&world, agent.batch(5)).await).await;
    assert_eq!((status, &answer["seq"]), (200, &json!(20)), "{answer}");
    assert_eq!(events(&world, tenant_a()).await, 20);
    assert!(world.alerts().await.is_empty());
}

#[tokio::test]
async fn a_batch_after_a_gap_is_told_the_heads_held() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 10);
    let held = agent.chain.end();
    assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
    agent.chain.grow(tenant_a(), 10);
    let (status, problem) = told(agent.push(&world, agent.batch(15)).await).await;
    assert_eq!((status, &problem["code"]), (409, &json!("audit.gap")), "{problem}");
    let expected =
        json!([{"epoch": agent.chain.opening.epoch, "seq": held.seq, "head": held.head}]);
    assert_eq!(problem["heads"], expected);
    assert_eq!(agent.push(&world, agent.batch(10)).await.status(), 200, "from there it goes on");
    assert_eq!(events(&world, tenant_a()).await, 20);
}

#[tokio::test]
async fn a_site_restored_from_a_snapshot_loses_nothing_and_is_one_alert() {
    // Snapshot at 500 of 600, run on to 620, drained: 720 records, one alert, whichever of the
    // heartbeat and the batch the Kernel sees first.
    for heartbeat_first in [true, false] {
        let world = World::new().await;
        let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
        agent.chain.grow(tenant_a(), 600);
        assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
        agent.heartbeat(&world, &json!({})).await;

        agent.chain = agent.chain.restored(500);
        agent.instance = farhold_kernel::random::bytes();
        agent.chain.grow(tenant_a(), 20);
        if heartbeat_first {
            agent.heartbeat(&world, &json!({})).await;
        }
        let (status, answer) = told(agent.push(&world, agent.batch(500)).await).await;
        assert_eq!(status, 200, "{answer}");
        agent.chain.grow(tenant_a(), 100);
        agent.heartbeat(&world, &json!({})).await;
        let (status, answer) = told(agent.push(&world, agent.batch(520)).await).await;
        assert_eq!((status, &answer["seq"]), (200, &json!(620)), "{answer}");
        agent.heartbeat(&world, &json!({})).await;

        assert_eq!(events(&world, tenant_a()).await, 720);
        let alerts = world.alerts().await;
        assert_eq!(alerts.len(), 1, "heartbeat first: {heartbeat_first}: {alerts:?}");
        let first =
            if heartbeat_first { AlertCode::StateRolledBack } else { AlertCode::ChainForked };
        assert_eq!(alerts[0].0, first);

        // Restored once more: another incident.
        agent.chain = agent.chain.restored(550);
        agent.chain.grow(tenant_a(), 1);
        agent.heartbeat(&world, &json!({})).await;
        assert_eq!(agent.push(&world, agent.batch(550)).await.status(), 200);
        assert_eq!(world.alerts().await.len(), 2);
    }
}

#[tokio::test]
async fn a_report_that_later_records_have_overtaken_is_of_the_same_incident() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 600);
    assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
    agent.heartbeat(&world, &json!({})).await;

    agent.chain = agent.chain.restored(500);
    agent.instance = farhold_kernel::random::bytes();
    agent.chain.grow(tenant_a(), 20);
    assert_eq!(agent.push(&world, agent.batch(500)).await.status(), 200);
    // Made at record 510, and it arrives only now.
    agent.chain = agent.chain.restored(510);
    agent.heartbeat(&world, &json!({})).await;
    assert_eq!(world.alerts().await.len(), 1, "{:?}", world.alerts().await);
}

#[tokio::test]
async fn a_foreign_tenants_record_is_refused_inside_a_valid_batch() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 3);
    agent.chain.grow(tenant_b(), 1);
    agent.chain.grow(tenant_a(), 3);
    let (status, answer) = told(agent.push(&world, agent.batch(0)).await).await;
    assert_eq!((status, &answer["seq"]), (200, &json!(7)), "{answer}");
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!((&refused[0]["seq"], &refused[0]["code"]), (&json!(4), &json!("tenant.mismatch")));
    assert_eq!((events(&world, tenant_a()).await, events(&world, tenant_b()).await), (6, 0));
    assert_eq!(world.alerts().await, [(AlertCode::TenantMismatch, 1)]);
}

#[tokio::test]
async fn refused_content_never_breaks_the_chain() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 1);
    agent.chain.append(tenant_a(), Class::Product, "{\"not\":\"an event\"}".to_owned());
    // Labelled as another class than its type's.
    let usage = event(tenant_a(), "feature.used", &json!({}));
    agent.chain.append(tenant_a(), Class::Security, usage.to_string());
    // The id of one event, the content of another.
    let mut twice = event(tenant_a(), "feature.used", &json!({"n": 1}));
    agent.chain.append(tenant_a(), Class::Usage, twice.to_string());
    twice["payload"]["n"] = json!(2);
    agent.chain.append(tenant_a(), Class::Usage, twice.to_string());
    agent.chain.grow(tenant_a(), 1);
    let (status, answer) = told(agent.push(&world, agent.batch(0)).await).await;
    assert_eq!((status, &answer["seq"]), (200, &json!(6)), "{answer}");
    let refused: Vec<_> = answer["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| (record["seq"].as_u64().unwrap(), record["code"].as_str().unwrap()))
        .collect();
    assert_eq!(refused, [(2, "event.refused"), (3, "event.refused"), (5, "event.conflict")]);
    assert_eq!(events(&world, tenant_a()).await, 3);
}

#[tokio::test]
async fn a_changed_a_cut_and_a_stolen_batch_are_refused_and_leave_nothing() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let other = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 5);
    let lines = agent.lines(0);
    let text = String::from_utf8(lines.clone()).unwrap();
    let changed = text.replace("\\\"n\\\":3", "\\\"n\\\":4");
    assert_ne!(changed, text);
    let without_last: String = text.split_inclusive('\n').take(5).collect();
    let swapped: Vec<&str> = text.split_inclusive('\n').collect();
    let swapped = [swapped[0], swapped[2], swapped[1], swapped[3], swapped[4], swapped[5]].concat();
    for (lines, expected) in [
        (changed.as_bytes(), "chain.broken"),
        (without_last.as_bytes(), "audit.gap"),
        (swapped.as_bytes(), "audit.gap"),
        (&lines[..lines.len() - 1], "chain.broken"),
        (b"", "envelope.malformed"),
        (b"\n", "envelope.malformed"),
    ] {
        let refused = agent.push(&world, compressed(lines)).await;
        let code = code(refused).await;
        assert!(code == expected || code == "audit.gap", "{expected}: {code}");
    }
    // Somebody else's genuine batch, by an agent of the same tenant.
    assert_eq!(code(other.push(&world, agent.batch(0)).await).await, "signature.key_unknown");
    assert_eq!(code(agent.push(&world, agent.batch(5)).await).await, "export.empty");
    assert_eq!(events(&world, tenant_a()).await, 0);
    assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
}

#[tokio::test]
async fn a_bomb_and_what_is_not_zstd_are_refused() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 1);
    let bomb = compressed(&[agent.lines(0), vec![b' '; 512 << 20]].concat());
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert_eq!(code(agent.push(&world, bomb).await).await, "request.too_large");
    let plain = agent.lines(0);
    assert_eq!(code(agent.push(&world, plain.clone()).await).await, "request.malformed");
    let large = vec![0; world.plane.config.limits.batch_bytes + 1];
    assert_eq!(code(agent.push(&world, large).await).await, "request.too_large");

    let post = || agent.headed(agent.client.post(world.url("/kernel/audit/batches")));
    for request in [
        post().header("content-type", "application/x-ndjson"),
        post().header("content-encoding", "zstd"),
        post().header("content-type", "application/json").header("content-encoding", "zstd"),
        post().header("content-type", "application/x-ndjson").header("content-encoding", "gzip"),
    ] {
        let answer = request.body(agent.batch(0)).send().await.unwrap();
        assert_eq!(code(answer).await, "request.media_type");
    }
    assert_eq!(events(&world, tenant_a()).await, 0);
}

#[tokio::test]
async fn half_a_body_leaves_nothing_and_the_whole_one_is_taken() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 50);
    let batch = agent.batch(0);
    let mut half = begun(&world, &agent, &batch, batch.len() / 2).await;
    half.shutdown().await.unwrap();
    // The answer, or the connection's end, comes once the server has let go of the half.
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(events(&world, tenant_a()).await, 0);
    assert_eq!(agent.push(&world, batch).await.status(), 200);
    assert_eq!(events(&world, tenant_a()).await, 50);
}

#[tokio::test]
async fn too_many_batches_at_once_are_told_to_come_again() {
    let world = World::with("[limits]\nbatches = 1\nbatches_waiting = 0\n", 0).await;
    let mut slow = Agent::enrolled(&world, &[tenant_a()]).await;
    let mut other = Agent::enrolled(&world, &[tenant_a()]).await;
    slow.chain.grow(tenant_a(), 50);
    other.chain.grow(tenant_a(), 1);
    let batch = slow.batch(0);
    let mut sending = begun(&world, &slow, &batch, 10).await;

    let refused = other.push(&world, other.batch(0)).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(
        (refused.status().as_u16(), code(refused).await.as_str()),
        (503, "server.overloaded")
    );
    let second = slow.push(&world, batch.clone()).await;
    assert!(second.headers().contains_key("retry-after"));
    assert_eq!((second.status().as_u16(), code(second).await.as_str()), (429, "audit.flood"));

    sending.write_all(&batch[10..]).await.unwrap();
    let mut answer = vec![0; 12];
    sending.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");
    assert_eq!(other.push(&world, other.batch(0)).await.status(), 200);
}

#[tokio::test]
async fn a_new_epoch_that_names_more_than_is_held_is_an_alert_and_a_backfill() {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 10);
    assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
    agent.chain.grow(tenant_a(), 5);
    let before = agent.chain.clone();
    let previous = farhold_audit::Previous {
        epoch: before.opening.epoch,
        seq: before.end().seq,
        head: before.end().head,
    };
    agent.chain = crate::agent::Chain::new(&agent.device, [9; 16], previous);
    agent.chain.grow(tenant_a(), 2);
    for _ in 0..2 {
        assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
    }
    assert_eq!(world.alerts().await, [(AlertCode::EventsMissing, 1)]);
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    let asked = json!([{"epoch": before.opening.epoch, "from": 11, "to": 15}]);
    assert_eq!(answer["backfill"], asked, "{answer}");

    let backfill = before.lines(10, &agent.device, Some(agent.runtime_id), agent.instance);
    assert_eq!(agent.push(&world, compressed(&backfill)).await.status(), 200);
    let (_, answer) = agent.heartbeat(&world, &json!({})).await;
    assert!(answer.get("backfill").is_none(), "{answer}");
    assert_eq!(events(&world, tenant_a()).await, 17);
}

fn receipt(world: &World, answer: &Value) -> Verified<Receipt> {
    let line = serde_json::to_string(&answer["receipt"]).unwrap();
    let envelope = Envelope::open(line.as_bytes()).expect("the envelope byte for byte");
    world.vendor.trust().verify(envelope).unwrap()
}

/// How many of the agents' events are found of a tenant.
async fn events(world: &World, tenant_id: TenantId) -> usize {
    let (mut found, mut after) = (0, None);
    loop {
        let query = AuditQuery {
            tenant_id,
            from: None,
            to: None,
            kind_prefix: Some("feature.".to_owned()),
            event_id: None,
            runtime_id: None,
            agent: None,
            text: None,
            order: Order::Oldest,
            after,
            limit: 1_000,
        };
        let page = world.plane.storage.audit_events(query).await.unwrap();
        found += page.events.len();
        match page.next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

/// A batch's request that has its place, and of whose body the first `sent` bytes are sent.
async fn begun(world: &World, agent: &Agent, batch: &[u8], sent: usize) -> TlsStream<TcpStream> {
    let anchors = world.plane.authority.certificates();
    let connector = TlsConnector::from(Arc::new(tls(anchors, Some(&agent.identity))));
    let tcp = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let mut stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    let head = format!(
        "POST /kernel/audit/batches HTTP/1.1\r\nhost: localhost\r\nx-contract-version: v0.2\r\n\
         x-correlation-id: half\r\nx-tenant-id: {}\r\nx-runtime-id: {}\r\n\
         content-type: application/x-ndjson\r\ncontent-encoding: zstd\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        agent.tenants[0],
        agent.runtime_id,
        batch.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body once it has a place for it.
    let mut goes_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut goes_on).await.unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&batch[..sent]).await.unwrap();
    stream.flush().await.unwrap();
    stream
}
