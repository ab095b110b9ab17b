//! Identity providers, and whom they vouch for.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::json;

use farhold_contract::{
    id::{IdentityId, TenantId},
    model::Provider,
};
use farhold_kernel::storage::{IdentityClaim, IdentityProvider, RoleMap, Trail, no_trail};

use crate::world::{World, is_unknown, later, tenant_id, uuid};

const ISSUER: &str = "https://login.school.example";

fn provider(tenant_id: TenantId, issuer: &str) -> IdentityProvider {
    IdentityProvider {
        tenant_id,
        name: "The school's directory".to_owned(),
        kind: Provider::AzureAd,
        issuer: issuer.to_owned(),
        audience: "courses".to_owned(),
        jwks: json!({"keys": [{"kid": "1", "kty": "OKP"}]}),
        role_map: RoleMap {
            claim: vec!["realm".to_owned(), "groups".to_owned()],
            roles: BTreeMap::from([("staff".to_owned(), "teacher".to_owned())]),
        },
        attributes: vec!["email".to_owned()],
    }
}

fn claim(tenant_id: TenantId, external_id: &str) -> IdentityClaim {
    IdentityClaim {
        identity_id: IdentityId::from_uuid(uuid()).unwrap(),
        tenant_id,
        issuer: ISSUER.to_owned(),
        provider: Provider::Oidc,
        external_id: external_id.to_owned(),
        roles: vec!["teacher".to_owned()],
        attributes: BTreeMap::from([("email".to_owned(), "ana@school.example".to_owned())]),
        at: later(1),
    }
}

#[tokio::test]
async fn a_provider_is_kept_and_replaced_by_issuer() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let (first, other) = (provider(tenant_id, ISSUER), provider(tenant_id, "https://b.example"));
    world.storage.put_provider(first.clone(), no_trail).await.unwrap();
    world.storage.put_provider(other.clone(), no_trail).await.unwrap();
    assert_eq!(world.storage.provider(tenant_id, ISSUER).await.unwrap(), Some(first.clone()));
    let second = IdentityProvider { audience: "labs".to_owned(), ..first };
    world.storage.put_provider(second.clone(), no_trail).await.unwrap();
    let world = world.reopened();
    assert_eq!(world.storage.providers(tenant_id).await.unwrap(), [other, second]);
    world.storage.remove_provider(tenant_id, ISSUER, no_trail).await.unwrap();
    assert_eq!(world.storage.provider(tenant_id, ISSUER).await.unwrap(), None);
    assert!(is_unknown(&world.storage.remove_provider(tenant_id, ISSUER, no_trail).await));
}

#[tokio::test]
async fn the_same_issuer_at_two_tenants_is_two_providers() {
    let world = World::new();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let of_two = IdentityProvider { audience: "two".to_owned(), ..provider(two, ISSUER) };
    world.storage.put_provider(of_two.clone(), no_trail).await.unwrap();
    assert_eq!(world.storage.provider(one, ISSUER).await.unwrap(), None);
    assert_eq!(world.storage.providers(one).await.unwrap(), []);
    assert!(is_unknown(&world.storage.remove_provider(one, ISSUER, no_trail).await));
    world.storage.put_provider(provider(one, ISSUER), no_trail).await.unwrap();
    assert_eq!(world.storage.provider(two, ISSUER).await.unwrap(), Some(of_two));
    let nobody = world.storage.put_provider(provider(tenant_id(), ISSUER), no_trail).await;
    assert!(is_unknown(&nobody), "{nobody:?}");
}

#[tokio::test]
async fn someone_keeps_their_id_and_only_a_change_leaves_a_trail() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let trails = Arc::new(AtomicUsize::new(0));
    let resolve = async |claim: IdentityClaim| {
        let trails = Arc::clone(&trails);
        let trail = move |_: &_| {
            trails.fetch_add(1, Ordering::Relaxed);
            Trail::none()
        };
        world.storage.resolve_identity(claim, trail).await.unwrap()
    };
    let first = claim(tenant_id, "ana");
    let known = resolve(first.clone()).await;
    assert_eq!(known.identity_id, first.identity_id);
    assert_eq!(resolve(claim(tenant_id, "ana")).await, known);
    assert_eq!(trails.load(Ordering::Relaxed), 1);

    let promoted =
        IdentityClaim { roles: vec!["head".to_owned()], at: later(2), ..claim(tenant_id, "ana") };
    let changed = resolve(promoted).await;
    assert_eq!(
        (changed.identity_id, changed.roles.as_slice()),
        (known.identity_id, &["head".to_owned()][..])
    );
    assert_eq!(trails.load(Ordering::Relaxed), 2);
    let found = world.storage.identity(tenant_id, known.identity_id).await.unwrap();
    assert_eq!(found, Some(changed));
}

#[tokio::test]
async fn the_same_name_at_another_tenant_or_issuer_is_somebody_else() {
    let world = World::new();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let resolve = async |claim| world.storage.resolve_identity(claim, no_trail).await.unwrap();
    let ana = resolve(claim(one, "ana")).await;
    let other_tenant = resolve(claim(two, "ana")).await;
    let other_issuer =
        resolve(IdentityClaim { issuer: "https://b.example".to_owned(), ..claim(one, "ana") })
            .await;
    assert_eq!(world.storage.identity(two, ana.identity_id).await.unwrap(), None);
    let listed = world.storage.identities(one, None, 10).await.unwrap();
    assert_eq!(listed, [ana.clone(), other_issuer.clone()]);
    assert_eq!(
        world.storage.identities(one, Some(ana.identity_id), 10).await.unwrap(),
        [other_issuer]
    );
    assert_eq!(world.storage.identities(two, None, 10).await.unwrap(), [other_tenant]);
    let nobody = world.storage.resolve_identity(claim(tenant_id(), "ana"), no_trail).await;
    assert!(is_unknown(&nobody), "{nobody:?}");
}

#[tokio::test]
async fn two_calls_at_once_about_someone_new_make_one_identity() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let (one, two) = tokio::join!(
        world.storage.resolve_identity(claim(tenant_id, "ana"), no_trail),
        world.storage.resolve_identity(claim(tenant_id, "ana"), no_trail),
    );
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(world.storage.identities(tenant_id, None, 10).await.unwrap().len(), 1);
}
