//! Runtimes.

use std::collections::BTreeMap;

use farhold_contract::{
    call::heartbeat::Health,
    model::{DeploymentMode, RuntimeStatus},
};
use farhold_kernel::storage::{
    Origin, ProposedId, Registered, Registration, Runtime, RuntimeHeartbeat, no_trail,
};

use crate::world::{
    NOW, World, fresh, is_unknown, later, registration, runtime_id, suspended, token_id, told,
};

fn heartbeat(seconds: u64) -> RuntimeHeartbeat {
    let metrics = BTreeMap::from([("load".to_owned(), 0.25)]);
    RuntimeHeartbeat { at: later(seconds), health: Health::Degraded, metrics }
}

#[tokio::test]
async fn one_token_is_one_runtime_whose_later_registrations_take_over_what_it_states() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let token = world.token(tenant_id).await;
    let origin = Origin::Token(token.token_id);
    let first =
        fresh(world.storage.register(registration(tenant_id, origin), no_trail).await.unwrap());
    let stated = Registration {
        version: "2.0.0".to_owned(),
        capabilities: Vec::new(),
        released_on: None,
        deployment_mode: DeploymentMode::Shared,
        at: later(9),
        ..registration(tenant_id, origin)
    };
    let Registered::Again(again) = world.storage.register(stated, no_trail).await.unwrap() else {
        panic!("a second runtime of one token")
    };
    assert_eq!(again.facts.runtime_id, first.facts.runtime_id);
    assert_eq!((again.facts.version.as_str(), again.facts.released_on), ("2.0.0", None));
    assert_eq!(again.registered_at, NOW);
    let world = world.reopened();
    let found = world.storage.runtime(tenant_id, again.facts.runtime_id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&again));
    let directory = world.storage.directory();
    assert_eq!(*directory.runtime(tenant_id, again.facts.runtime_id).unwrap(), again.facts);
}

#[tokio::test]
async fn an_adopted_id_is_kept_and_another_one_for_the_same_token_is_refused() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let origin = Origin::Token(world.token(tenant_id).await.token_id);
    let adopting =
        |id| Registration { id: ProposedId::Adopt(id), ..registration(tenant_id, origin) };
    let own = runtime_id();
    let first = fresh(world.storage.register(adopting(own), no_trail).await.unwrap());
    assert_eq!(first.facts.runtime_id, own);
    let other = world.storage.register(adopting(runtime_id()), told(tenant_id)).await.unwrap();
    assert_eq!(other, Registered::IdTaken);
    // A refusal may leave a trail as well.
    assert_eq!(world.events(tenant_id).await, 1);
    let again = world.storage.register(adopting(own), no_trail).await.unwrap();
    assert_eq!(again, Registered::Again(first));
}

#[tokio::test]
async fn an_id_of_another_runtime_or_of_an_agent_is_taken_whoever_asks() {
    let world = World::new();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let runtime = world.runtime(one).await;
    let agent = world.agent(&[one, two]).await;
    let through_agent = world.runtime_of(&agent, one).await;
    let taken = [runtime.facts.runtime_id, agent.facts.runtime_id, through_agent.facts.runtime_id];
    for id in taken {
        for tenant_id in [one, two] {
            let origin = Origin::Token(world.token(tenant_id).await.token_id);
            let asked =
                Registration { id: ProposedId::Adopt(id), ..registration(tenant_id, origin) };
            let refused = world.storage.register(asked, no_trail).await.unwrap();
            assert_eq!(refused, Registered::IdTaken);
        }
    }
    // Nor does an agent take what registered with a token, or what it has at another tenant.
    let origin = Origin::Agent(agent.facts.runtime_id);
    for (tenant_id, id) in [(one, runtime.facts.runtime_id), (two, through_agent.facts.runtime_id)]
    {
        let asked = Registration { id: ProposedId::Adopt(id), ..registration(tenant_id, origin) };
        let refused = world.storage.register(asked, no_trail).await.unwrap();
        assert_eq!(refused, Registered::IdTaken);
    }
    assert_eq!(world.storage.runtimes_of(two, None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn nobody_registers_with_a_revoked_or_foreign_token_or_a_foreign_agent() {
    let world = World::new();
    let (own, other) = (world.tenant().await, world.tenant().await);
    let revoked = world.token(own).await.token_id;
    world.storage.revoke_runtime_token(own, revoked, later(1), no_trail).await.unwrap();
    let foreign = world.token(other).await.token_id;
    let agent = world.agent(&[other]).await.facts.runtime_id;
    let origins = [
        Origin::Token(revoked),
        Origin::Token(foreign),
        Origin::Token(token_id()),
        Origin::Agent(agent),
        Origin::Agent(runtime_id()),
    ];
    for origin in origins {
        let refused = world.storage.register(registration(own, origin), no_trail).await.unwrap();
        assert_eq!(refused, Registered::UnknownOrigin, "{origin:?}");
    }
}

#[tokio::test]
async fn a_runtime_is_no_other_tenants_to_see_hold_or_speak_for() {
    let world = World::new();
    let (own, other) = (world.tenant().await, world.tenant().await);
    let Runtime { facts, .. } = world.runtime(own).await;
    let id = facts.runtime_id;
    let storage = &world.storage;
    assert_eq!(storage.runtime(other, id).await.unwrap(), None);
    assert_eq!(storage.runtimes_of(other, None, 10).await.unwrap(), []);
    assert!(storage.directory().runtime(other, id).is_none());
    assert!(is_unknown(&storage.note_runtime_heartbeat(other, id, heartbeat(1), no_trail).await));
    assert!(is_unknown(&storage.set_runtime_standing(other, id, suspended(), no_trail).await));
    let found = storage.runtime(own, id).await.unwrap().unwrap();
    assert_eq!((found.facts, found.heartbeat), (facts, None));
}

#[tokio::test]
async fn a_runtimes_status_follows_its_heartbeat_and_its_standing() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let runtime = world.runtime(tenant_id).await;
    let id = runtime.facts.runtime_id;
    assert_eq!(runtime.status(), RuntimeStatus::Registered);
    world.storage.note_runtime_heartbeat(tenant_id, id, heartbeat(5), no_trail).await.unwrap();
    let heard = world.storage.runtime(tenant_id, id).await.unwrap().unwrap();
    assert_eq!(heard.heartbeat, Some(heartbeat(5)));
    assert_eq!(heard.status(), RuntimeStatus::Active);
    let held = world.storage.set_runtime_standing(tenant_id, id, suspended(), told(tenant_id));
    assert_eq!(held.await.unwrap().status(), RuntimeStatus::Suspended);
    let directory = world.storage.directory();
    assert_eq!(directory.runtime(tenant_id, id).unwrap().standing, suspended());

    // What it states later gives nothing back.
    let Origin::Token(token_id) = runtime.facts.origin else { panic!("not by token") };
    let again = registration(tenant_id, Origin::Token(token_id));
    world.storage.register(again, no_trail).await.unwrap();
    let world = world.reopened();
    let found = world.storage.runtime(tenant_id, id).await.unwrap().unwrap();
    assert_eq!(found.status(), RuntimeStatus::Suspended);
}

#[tokio::test]
async fn runtimes_come_in_pages_by_tenant_and_all_at_once_by_agent() {
    let world = World::new();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let agent = world.agent(&[one, two]).await;
    let mut of_agent = Vec::new();
    for tenant_id in [one, two, one] {
        of_agent.push(world.runtime_of(&agent, tenant_id).await);
    }
    let alone = world.runtime(one).await;
    let listed = world.storage.runtimes_of_agent(agent.facts.runtime_id).await.unwrap();
    assert_eq!(listed, of_agent);
    let first = world.storage.runtimes_of(one, None, 2).await.unwrap();
    assert_eq!(first, [of_agent[0].clone(), of_agent[2].clone()]);
    let after = Some(of_agent[2].facts.runtime_id);
    assert_eq!(world.storage.runtimes_of(one, after, 2).await.unwrap(), [alone]);
}

#[tokio::test]
async fn a_figure_that_is_no_number_does_not_make_the_runtime_unreadable() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let id = world.runtime(tenant_id).await.facts.runtime_id;
    let mut noted = heartbeat(1);
    noted.metrics.insert("ratio".to_owned(), f64::NAN);
    world.storage.note_runtime_heartbeat(tenant_id, id, noted, no_trail).await.unwrap();
    let found = world.storage.runtime(tenant_id, id).await.unwrap().unwrap();
    assert_eq!(found.heartbeat, Some(heartbeat(1)));
}
