//! A Kernel that no longer holds what it confirmed: a receipt stands for it, and nothing else does.

use serde_json::{Value, json};
use tempfile::tempdir;

use farhold_bundle::{Signer, seal};
use farhold_contract::{AlertCode, Sha256Digest};
use farhold_kernel::storage::AlertFilter;

use crate::{
    agent::Agent,
    vendor::tenant_a,
    world::{World, code, told},
};

/// A Kernel set back to record 10 of an agent's 30: what came after is not there any more, and the
/// agent's own receipts are as they were.
async fn set_back() -> (World, Agent) {
    let world = World::new().await;
    let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
    agent.chain.grow(tenant_a(), 10);
    assert_eq!(agent.push(&world, agent.batch(0)).await.status(), 200);
    agent.chain.grow(tenant_a(), 20);
    (world, agent)
}

fn by_the_kernel(world: &World, agent: &Agent, seq: usize) -> Vec<u8> {
    seal(&agent.receipt_at(seq), world.plane.receipt_signer()).unwrap()
}

async fn missing(world: &World) -> Vec<Value> {
    let alerts = world.plane.storage.alerts(AlertFilter::Open, None, 100).await.unwrap();
    assert!(alerts.iter().all(|alert| alert.code == AlertCode::EventsMissing), "{alerts:?}");
    alerts.into_iter().map(|alert| alert.detail).collect()
}

#[tokio::test]
async fn records_that_were_confirmed_and_are_gone_are_crossed_by_their_receipt_and_told_once() {
    let (world, mut agent) = set_back().await;
    let refused = told(agent.push(&world, agent.batch(20)).await).await;
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("audit.gap")), "without it");

    let receipt = by_the_kernel(&world, &agent, 20);
    for _ in 0..2 {
        let (status, answer) =
            told(agent.push(&world, agent.batch_presenting(20, &receipt)).await).await;
        assert_eq!((status, &answer["seq"]), (200, &json!(30)), "{answer}");
    }
    let epoch = agent.chain.opening.epoch;
    let told_of = json!({"epoch": epoch, "from": 11, "to": 20, "receipted": true});
    assert_eq!(missing(&world).await, std::slice::from_ref(&told_of));

    // From there it goes on as ever, and the heartbeat asks for nothing that is gone.
    agent.chain.grow(tenant_a(), 5);
    assert_eq!(agent.push(&world, agent.batch(30)).await.status(), 200);
    for _ in 0..2 {
        let (status, answer) = agent.heartbeat(&world, &json!({})).await;
        assert_eq!((status, answer.get("backfill")), (200, None), "{answer}");
    }
    assert_eq!(missing(&world).await, [told_of]);
}

#[tokio::test]
async fn a_receipt_is_not_looked_at_where_nothing_is_missing() {
    let (world, agent) = set_back().await;
    let batch = agent.batch_presenting(10, b"no receipt at all");
    assert_eq!(agent.push(&world, batch).await.status(), 200);
    assert!(world.alerts().await.is_empty());
}

#[tokio::test]
async fn what_is_no_receipt_of_the_vendors_for_just_this_place_is_refused_and_leaves_nothing() {
    let (world, agent) = set_back().await;
    let other = Agent::enrolled(&world, &[tenant_a()]).await;
    let folder = tempdir().unwrap();
    let stranger = farhold_keys::create(&folder.path().join("stranger.key"), None).unwrap();
    let kernel = world.plane.receipt_signer();
    let receipt = agent.receipt_at(20);

    let genuine = seal(&receipt, kernel).unwrap();
    let mut flipped = genuine.clone();
    let at = flipped.iter().rposition(|byte| *byte == b'"').unwrap() - 10;
    flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };

    let foreign = seal(&other.receipt_at_head(20, receipt.head), kernel).unwrap();
    let mut other_epoch = receipt.clone();
    other_epoch.epoch = "ab".repeat(16);
    let other_epoch = seal(&other_epoch, kernel).unwrap();
    let mut other_head = receipt.clone();
    other_head.head = Sha256Digest::new([7; 32]);
    let other_head = seal(&other_head, kernel).unwrap();
    let mut other_seq = agent.receipt_at(21);
    other_seq.head = receipt.head;
    let other_seq = seal(&other_seq, kernel).unwrap();

    for (what, line, expected) in [
        ("nobody's words", b"{}".to_vec(), "envelope.malformed"),
        ("a flipped bit", flipped, "signature.invalid"),
        ("a stranger's", seal(&receipt, &stranger).unwrap(), "signature.key_unknown"),
        ("the agent's own", seal(&receipt, &agent.device).unwrap(), "signature.key_unknown"),
        ("another agent's", foreign, "receipt.foreign"),
        ("another epoch's", other_epoch, "receipt.foreign"),
        ("another history's", other_head, "receipt.branch"),
        ("another record's", other_seq, "receipt.branch"),
        ("an earlier record's", by_the_kernel(&world, &agent, 15), "receipt.branch"),
    ] {
        let refused = agent.push(&world, agent.batch_presenting(20, &line)).await;
        assert_eq!(code(refused).await, expected, "{what}");
    }
    assert!(world.alerts().await.is_empty());
    let heads = world.plane.storage.heads(agent.device.public_key().id()).await.unwrap();
    assert_eq!((heads.len(), heads[0].tip.seq), (1, 10));
    // The other agent is not let through by a receipt that is not its own either.
    let stolen = other.push(&world, agent.batch_presenting(20, &genuine)).await;
    assert_eq!(code(stolen).await, "signature.key_unknown");
    assert_eq!(agent.push(&world, agent.batch_presenting(20, &genuine)).await.status(), 200);
}

#[tokio::test]
async fn a_receipt_by_a_key_that_was_rotated_holds_and_by_one_that_was_revoked_does_not() {
    let (world, agent) = set_back().await;
    let folder = tempdir().unwrap();
    let next = farhold_keys::create(&folder.path().join("next.key"), None).unwrap();
    let revoked = farhold_keys::create(&folder.path().join("revoked.key"), None).unwrap();
    let vendor = &world.vendor;
    let kernel = &vendor.kernel_key;
    // Root 2 has two keys of the role beside the Kernel's, root 3 one of them alone.
    let two = [next.public_key(), revoked.public_key()];
    let second = vendor.root_of_kernel_keys(2, &[kernel, two[0], two[1]], &json!({}));
    let revokes = json!({"revoked_keys": [two[1].id()]});
    let third = vendor.root_of_kernel_keys(3, &[two[0]], &revokes);

    let by_next = agent.batch_presenting(20, &seal(&agent.receipt_at(20), &next).unwrap());
    let refused = agent.push(&world, by_next.clone()).await;
    assert_eq!(code(refused).await, "signature.key_unknown", "the root is not uploaded yet");
    world.upload(&[second, third]).await;
    let by_revoked = seal(&agent.receipt_at(20), &revoked).unwrap();
    let refused = agent.push(&world, agent.batch_presenting(20, &by_revoked)).await;
    assert_eq!(code(refused).await, "signature.key_revoked");
    assert_eq!(agent.push(&world, by_next).await.status(), 200);
    assert_eq!(missing(&world).await.len(), 1);

    // The Kernel's own key went out of use with root 3: what it confirmed before holds.
    let mut other = Agent::enrolled(&world, &[tenant_a()]).await;
    other.chain.grow(tenant_a(), 8);
    let by_rotated = by_the_kernel(&world, &other, 4);
    let (status, answer) =
        told(other.push(&world, other.batch_presenting(4, &by_rotated)).await).await;
    assert_eq!((status, &answer["seq"]), (200, &json!(8)), "{answer}");
}
