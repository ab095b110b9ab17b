//! Enrollment tokens, and who enrolls with them.

use farhold_kernel::storage::{EnrollToken, EnrollUse, Enrolled, Enrollment, Trail, no_trail};

use crate::world::{
    NOW, World, agent_of, device_key, enroll_token, enrollment, exists, is_unknown, later,
    runtime_id, suspended, tenant_id, token_id, told,
};

#[tokio::test]
async fn the_first_device_key_becomes_the_tokens_agent_and_is_told_the_tokens_root() {
    let world = World::new();
    let tenants = [world.tenant().await, world.tenant().await];
    let token = world.enroll_token(&tenants).await;
    let asked = enrollment(&token, device_key());
    let enrolled = world.storage.enroll(asked.clone(), told(tenants[0])).await.unwrap();
    let Enrolled::Agent { agent, fresh: true, root_sha256 } = enrolled else {
        panic!("not a new agent: {enrolled:?}")
    };
    assert_eq!(root_sha256, token.root_sha256);
    assert_eq!(agent.facts.runtime_id, asked.runtime_id);
    assert_eq!(
        (agent.facts.own_tenant(), agent.facts.tenants.as_slice()),
        (tenants[0], &tenants[..])
    );
    assert_eq!(world.events(tenants[0]).await, 1);

    let world = world.reopened();
    let key_id = asked.device_key.id();
    assert_eq!(world.storage.agent(asked.runtime_id).await.unwrap(), Some(agent.clone()));
    assert_eq!(world.storage.agent_by_device_key(key_id).await.unwrap(), Some(agent.clone()));
    let directory = world.storage.directory();
    assert_eq!(*directory.agent(asked.runtime_id).unwrap(), agent.facts);
    assert_eq!(*directory.agent_by_device_key(key_id).unwrap(), agent.facts);
    let used = EnrollUse { device_key_id: key_id, runtime_id: asked.runtime_id, at: NOW };
    let listed = world.storage.enroll_tokens(None, 10).await.unwrap();
    assert_eq!(listed, [EnrollToken { used: Some(used), ..token }]);
}

#[tokio::test]
async fn the_same_device_key_may_ask_again_within_the_tokens_life_and_no_other_ever() {
    let world = World::new();
    let tenants = [world.tenant().await];
    let token = world.enroll_token(&tenants).await;
    let key = device_key();
    let first =
        agent_of(world.storage.enroll(enrollment(&token, key.clone()), no_trail).await.unwrap());
    let again = Enrollment {
        agent_version: "0.2.1".to_owned(),
        at: later(60),
        ..enrollment(&token, key.clone())
    };
    let enrolled = world.storage.enroll(again, no_trail).await.unwrap();
    let Enrolled::Agent { agent, fresh: false, .. } = enrolled else {
        panic!("a lost answer stranded it: {enrolled:?}")
    };
    assert_eq!(agent.facts, first.facts);
    assert_eq!((agent.enrolled_at, agent.agent_version.as_str()), (NOW, "0.2.1"));

    let other = device_key();
    let refused = world.storage.enroll(enrollment(&token, other.clone()), no_trail).await.unwrap();
    let used = EnrollUse { device_key_id: key.id(), runtime_id: first.facts.runtime_id, at: NOW };
    let token_id = token.token_id;
    assert_eq!(refused, Enrolled::UsedByAnother { token_id, tenants: tenants.to_vec(), used });
    assert!(world.storage.directory().agent_by_device_key(other.id()).is_none());

    let late = Enrollment { at: token.expires_at, ..enrollment(&token, key) };
    assert_eq!(world.storage.enroll(late, no_trail).await.unwrap(), Enrolled::Invalid);
}

#[tokio::test]
async fn a_token_that_is_unknown_expired_or_revoked_opens_nothing() {
    let world = World::new();
    let tenants = [world.tenant().await];
    let never_entered = enroll_token(&tenants);
    let expired = world.enroll_token(&tenants).await;
    let revoked = world.enroll_token(&tenants).await;
    world.storage.revoke_enroll_token(revoked.token_id, later(1), no_trail).await.unwrap();
    world.storage.revoke_enroll_token(revoked.token_id, later(2), no_trail).await.unwrap();
    let asked = [
        enrollment(&never_entered, device_key()),
        Enrollment { at: expired.expires_at, ..enrollment(&expired, device_key()) },
        enrollment(&revoked, device_key()),
    ];
    for asked in asked {
        let key_id = asked.device_key.id();
        let refused = world.storage.enroll(asked, no_trail).await.unwrap();
        assert_eq!(refused, Enrolled::Invalid);
        assert_eq!(world.storage.agent_by_device_key(key_id).await.unwrap(), None);
    }
    let listed = world.storage.enroll_tokens(Some(expired.token_id), 10).await.unwrap();
    assert_eq!(listed, [EnrollToken { revoked_at: Some(later(1)), ..revoked }]);
    assert!(is_unknown(&world.storage.revoke_enroll_token(token_id(), NOW, no_trail).await));
}

#[tokio::test]
async fn a_known_device_key_with_a_new_token_stays_the_agent_it_was_at_the_tokens_tenants() {
    let world = World::new();
    let (one, two) = (world.tenant().await, world.tenant().await);
    let token = world.enroll_token(&[one]).await;
    let key = device_key();
    let first = world.storage.enroll(enrollment(&token, key.clone()), no_trail).await.unwrap();
    let id = agent_of(first).facts.runtime_id;
    world.storage.set_agent_standing(id, suspended(), no_trail).await.unwrap();

    let wider = world.enroll_token(&[two, one]).await;
    let enrolled = world.storage.enroll(enrollment(&wider, key.clone()), no_trail).await.unwrap();
    let Enrolled::Agent { agent, fresh: false, root_sha256 } = enrolled else {
        panic!("not the same agent: {enrolled:?}")
    };
    assert_eq!(root_sha256, wider.root_sha256);
    assert_eq!((agent.facts.runtime_id, agent.facts.tenants.clone()), (id, vec![two, one]));
    assert_eq!(agent.facts.standing, suspended());
    assert_eq!(*world.storage.directory().agent(id).unwrap(), agent.facts);
    assert_eq!(world.storage.agents_of(two, None, 10).await.unwrap(), std::slice::from_ref(&agent));

    // The token before has had its say.
    let enrolled = world.storage.enroll(enrollment(&token, key), no_trail).await.unwrap();
    assert_eq!(agent_of(enrolled).facts.tenants, [two, one]);
}

#[tokio::test]
async fn a_token_names_known_tenants_and_has_an_id_and_a_secret_of_its_own() {
    let world = World::new();
    let known = world.tenant().await;
    for tenants in [vec![], vec![tenant_id()], vec![known, tenant_id()]] {
        let refused = world.storage.create_enroll_token(enroll_token(&tenants), no_trail).await;
        assert!(is_unknown(&refused), "{refused:?}");
    }
    let first = world.enroll_token(&[known]).await;
    let same_id = EnrollToken { token_id: first.token_id, ..enroll_token(&[known]) };
    let same_secret = EnrollToken { secret_hash: first.secret_hash, ..enroll_token(&[known]) };
    for second in [same_id, same_secret] {
        assert!(exists(&world.storage.create_enroll_token(second, no_trail).await));
    }
}

#[tokio::test]
async fn an_agent_whose_id_is_a_runtimes_is_refused_and_the_token_is_not_used_up() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let runtime = world.runtime(tenant_id).await;
    let token = world.enroll_token(&[tenant_id]).await;
    let taken =
        Enrollment { runtime_id: runtime.facts.runtime_id, ..enrollment(&token, device_key()) };
    assert!(exists(&world.storage.enroll(taken, no_trail).await));
    let asked = Enrollment { runtime_id: runtime_id(), ..enrollment(&token, device_key()) };
    agent_of(world.storage.enroll(asked, |_| Trail::none()).await.unwrap());
}
