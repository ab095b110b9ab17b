//! Documents, values of the Kernel's own, and counts.

use serde_json::json;

use farhold_contract::AlertCode;
use farhold_kernel::storage::{Counts, NewAlert, StorageError, Trail, no_trail};

use crate::world::{NOW, World, told};

fn lines(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[tokio::test]
async fn documents_stand_in_the_order_they_were_put_and_nothing_of_the_ones_before_remains() {
    let world = World::new();
    assert_eq!(world.storage.documents().await.unwrap(), lines(&[]));
    for standing in [
        &["root", "revocations", "license 1", "license 2"][..],
        &["root", "root 2", "license 2"],
        &[],
        &["license 2", "root"],
    ] {
        world.storage.put_documents(lines(standing), no_trail).await.unwrap();
        assert_eq!(world.storage.documents().await.unwrap(), lines(standing));
    }
    let world = world.reopened();
    assert_eq!(world.storage.documents().await.unwrap(), lines(&["license 2", "root"]));
}

#[tokio::test]
async fn a_value_is_the_last_one_put_under_its_name() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let generation = async |world: &World| world.storage.own_value::<u64>("generation").await;
    assert_eq!(generation(&world).await.unwrap(), None);
    world.storage.put_own_value("generation", &7_u64, told(tenant_id)).await.unwrap();
    world.storage.put_own_value("generation", &8_u64, told(tenant_id)).await.unwrap();
    world.storage.put_own_value("other", &"text", no_trail).await.unwrap();
    assert_eq!(world.events(tenant_id).await, 2);
    let world = world.reopened();
    assert_eq!(generation(&world).await.unwrap(), Some(8));
    let other = world.storage.own_value::<u64>("other").await;
    assert!(matches!(other, Err(StorageError::Row { .. })), "{other:?}");
}

#[tokio::test]
async fn counts_are_of_all_tenants_and_only_of_alerts_that_are_open() {
    let world = World::new();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let agent = world.agent(&[one]).await;
    world.runtime(one).await;
    world.runtime_of(&agent, one).await;
    world.runtime(two).await;
    let alert = |incident: &str| NewAlert {
        code: AlertCode::AgentCloned,
        tenant_id: one,
        agent: Some(agent.facts.runtime_id),
        incident: incident.to_owned(),
        at: NOW,
        detail: json!({}),
    };
    let raise =
        async |incident| world.storage.raise_alert(alert(incident), no_trail).await.unwrap();
    let first = raise("first").await;
    raise("second").await;
    raise("second").await;
    world
        .storage
        .acknowledge_alert(first.alert_id, NOW, "somebody".to_owned(), |_| Trail::none())
        .await
        .unwrap();
    let expected = Counts { tenants: 2, agents: 1, runtimes: 3, open_alerts: 1 };
    assert_eq!(world.storage.counts().await.unwrap(), expected);
    assert_eq!(world.reopened().storage.counts().await.unwrap(), expected);
}
