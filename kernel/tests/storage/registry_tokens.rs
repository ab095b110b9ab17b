//! Runtime tokens.

use farhold_kernel::storage::{Origin, RuntimeToken, no_trail};

use crate::world::{
    World, digest, exists, fresh, is_unknown, later, registration, suspended, tenant_id, token,
};

#[tokio::test]
async fn a_token_is_known_by_its_hash_with_its_tenant_and_once_registered_its_runtime() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let token = world.token(tenant_id).await;
    let holder = world.storage.directory().token(&token.hash).unwrap();
    assert_eq!((&*holder.token, holder.tenant.tenant_id), (&token, tenant_id));
    assert!(holder.runtime.is_none());
    assert!(world.storage.directory().token(&digest()).is_none());

    let registration = registration(tenant_id, Origin::Token(token.token_id));
    let runtime = fresh(world.storage.register(registration, no_trail).await.unwrap());
    let world = world.reopened();
    let holder = world.storage.directory().token(&token.hash).unwrap();
    assert_eq!(*holder.runtime.unwrap(), runtime.facts);
    let listed = world.storage.runtime_tokens(tenant_id).await.unwrap();
    assert_eq!(listed, [(token, Some(runtime.facts.runtime_id))]);
}

#[tokio::test]
async fn a_suspended_tenants_token_is_still_known_so_that_the_call_can_be_told_why() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let token = world.token(tenant_id).await;
    world.storage.set_tenant_standing(tenant_id, suspended(), no_trail).await.unwrap();
    let holder = world.storage.directory().token(&token.hash).unwrap();
    assert_eq!(holder.tenant.standing, suspended());
}

#[tokio::test]
async fn a_revoked_token_is_nobodys_at_once_and_stays_revoked_since_the_first_time() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let token = world.token(tenant_id).await;
    let id = token.token_id;
    world.storage.revoke_runtime_token(tenant_id, id, later(1), no_trail).await.unwrap();
    assert!(world.storage.directory().token(&token.hash).is_none());
    world.storage.revoke_runtime_token(tenant_id, id, later(2), no_trail).await.unwrap();
    let world = world.reopened();
    assert!(world.storage.directory().token(&token.hash).is_none());
    let listed = world.storage.runtime_tokens(tenant_id).await.unwrap();
    assert_eq!(listed, [(RuntimeToken { revoked_at: Some(later(1)), ..token }, None)]);
}

#[tokio::test]
async fn a_token_is_no_other_tenants_to_list_or_revoke() {
    let world = World::new();
    let (own, other) = (world.tenant().await, world.tenant().await);
    let token = world.token(own).await;
    assert_eq!(world.storage.runtime_tokens(other).await.unwrap(), []);
    let refused =
        world.storage.revoke_runtime_token(other, token.token_id, later(1), no_trail).await;
    assert!(is_unknown(&refused), "{refused:?}");
    assert!(world.storage.directory().token(&token.hash).is_some());
}

#[tokio::test]
async fn a_token_needs_a_tenant_and_an_id_and_a_hash_of_its_own() {
    let world = World::new();
    let unknown = world.storage.create_runtime_token(token(tenant_id()), no_trail).await;
    assert!(is_unknown(&unknown), "{unknown:?}");
    let tenant_id = world.tenant().await;
    let first = world.token(tenant_id).await;
    let same_hash = RuntimeToken { hash: first.hash, ..token(tenant_id) };
    let same_id = RuntimeToken { token_id: first.token_id, ..token(tenant_id) };
    for second in [same_hash, same_id] {
        let refused = world.storage.create_runtime_token(second, no_trail).await;
        assert!(exists(&refused), "{refused:?}");
    }
    assert_eq!(*world.storage.directory().token(&first.hash).unwrap().token, first);
}
