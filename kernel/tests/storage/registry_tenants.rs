//! Organizations.

use farhold_kernel::storage::{Tenant, no_trail};

use crate::world::{World, exists, is_unknown, suspended, tenant, tenant_id, told};

#[tokio::test]
async fn a_tenant_is_found_as_it_was_entered_also_after_a_restart() {
    let world = World::new();
    let (full, bare) = (tenant(), Tenant { name: None, ..tenant() });
    world.storage.create_tenant(full.clone(), no_trail).await.unwrap();
    world.storage.create_tenant(bare.clone(), no_trail).await.unwrap();
    for world in [world.reopened()] {
        for entered in [&full, &bare] {
            let found = world.storage.tenant(entered.tenant_id).await.unwrap();
            assert_eq!(found.as_ref(), Some(entered));
            assert_eq!(*world.storage.directory().tenant(entered.tenant_id).unwrap(), *entered);
        }
        assert_eq!(world.storage.tenant(tenant_id()).await.unwrap(), None);
        assert!(world.storage.directory().tenant(tenant_id()).is_none());
    }
}

#[tokio::test]
async fn a_second_tenant_of_an_id_is_refused_and_leaves_the_first_and_no_trail() {
    let world = World::new();
    let first = tenant();
    world.storage.create_tenant(first.clone(), no_trail).await.unwrap();
    let second = Tenant { name: Some("an impostor".to_owned()), ..first.clone() };
    let refused = world.storage.create_tenant(second, told(first.tenant_id)).await;
    assert!(exists(&refused), "{refused:?}");
    assert_eq!(world.storage.tenant(first.tenant_id).await.unwrap(), Some(first.clone()));
    assert_eq!(*world.storage.directory().tenant(first.tenant_id).unwrap(), first);
    assert_eq!(world.events(first.tenant_id).await, 0);
}

#[tokio::test]
async fn tenants_come_in_pages_that_together_are_all_of_them() {
    let world = World::new();
    let mut entered = Vec::new();
    for _ in 0..5 {
        entered.push(world.tenant().await);
    }
    entered.sort();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = world.storage.tenants(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.tenant_id);
        seen.extend(page.iter().map(|tenant| tenant.tenant_id));
    }
    assert_eq!(seen, entered);
}

#[tokio::test]
async fn a_standing_holds_for_the_directory_once_it_is_answered_and_after_a_restart() {
    let world = World::new();
    let (held, other) = (world.tenant().await, world.tenant().await);
    let answered = world.storage.set_tenant_standing(held, suspended(), told(held)).await.unwrap();
    assert_eq!(answered.standing, suspended());
    assert_eq!(world.storage.directory().tenant(held).unwrap().standing, suspended());
    assert_eq!(world.events(held).await, 1);

    let world = world.reopened();
    assert_eq!(world.storage.directory().tenant(held).unwrap().standing, suspended());
    assert!(world.storage.directory().tenant(other).unwrap().standing.is_active());
    let unknown = world.storage.set_tenant_standing(tenant_id(), suspended(), no_trail).await;
    assert!(is_unknown(&unknown), "{unknown:?}");
}
