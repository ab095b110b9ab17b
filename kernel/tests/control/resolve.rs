//! Identity resolve, by the router: somebody else's token to an identity of this organization.

use std::time::Duration;

use serde_json::{Value, json};

use farhold_contract::{Code, id::TenantId};
use farhold_kernel::storage::no_trail;

use crate::{
    ask::Ask,
    issuer::{NOW, SigningKey, claims, claims_with, provider_with, sign_by_secret, unsigned},
    kernel::{Kernel, Runtime, without},
};

struct School {
    kernel: Kernel,
    tenant: TenantId,
    runtime: Runtime,
    key: SigningKey,
}

impl School {
    async fn new() -> Self {
        let kernel = Kernel::new().await;
        let tenant = kernel.tenant().await;
        let runtime = kernel.runtime(tenant).await;
        let key = SigningKey::ed25519();
        let school = Self { kernel, tenant, runtime, key };
        school.enter(&[school.key.jwk()]).await;
        school
    }

    /// The administrator enters the provider's keys, instead of those from before.
    async fn enter(&self, keys: &[Value]) {
        let entry = provider_with(self.tenant, keys);
        self.kernel.plane.storage.put_provider(entry, no_trail).await.unwrap();
    }

    fn ask(&self, token: &str) -> Ask {
        Ask::resolve(self.tenant, self.runtime.runtime_id, token).by(&self.runtime)
    }

    async fn resolved(&self, claims: &Value) -> Value {
        self.ask(&self.key.sign(claims)).of(&self.kernel).await.json()
    }

    async fn refused(&self, token: &str) -> Code {
        self.ask(token).refused(&self.kernel).await
    }
}

#[tokio::test]
async fn a_providers_token_becomes_an_identity_with_roles_attributes_and_entitlements() {
    let school = School::new().await;
    school.kernel.license(school.tenant, json!({}));
    for version in ["v0.1", "v0.2"] {
        let ask = school.ask(&school.key.sign(&claims())).with("x-contract-version", version);
        let answer = ask.of(&school.kernel).await.json();
        let identity = &answer["identity"];
        assert_eq!(identity["tenant_id"], json!(school.tenant));
        assert_eq!(identity["external_id"], "ana");
        assert_eq!(identity["provider"], "oidc");
        assert_eq!(identity["roles"], json!(["course-admin"]));
        assert_eq!(identity["attributes"], json!({"email": "ana@school.example"}));
        let entitlement = |feature: &str, limits: Value| {
            json!({
                "tenant_id": school.tenant, "runtime_id": school.runtime.runtime_id,
                "feature": feature, "limits": limits,
                // The end of the last day, where it ends last: UTC-12.
                "valid_until": "2028-01-01T12:00:00Z",
            })
        };
        assert_eq!(
            answer["entitlements"],
            json!([
                entitlement("courses.play", json!({})),
                entitlement("live.rooms", json!({"quota": 10}))
            ])
        );
    }
}

#[tokio::test]
async fn a_person_keeps_its_identity_and_follows_what_the_provider_says() {
    let school = School::new().await;
    let before = school.resolved(&claims()).await;
    let same = school.resolved(&claims()).await;
    let after = school.resolved(&claims_with(json!({"groups": ["pupils"], "email": null}))).await;
    let other = school.resolved(&claims_with(json!({"sub": "ben"}))).await;
    assert_eq!(same, before);
    assert_eq!(after["identity"]["identity_id"], before["identity"]["identity_id"]);
    assert_eq!(after["identity"]["roles"], json!(["reader"]));
    assert_eq!(after["identity"]["attributes"], json!({}));
    assert_ne!(other["identity"]["identity_id"], before["identity"]["identity_id"]);

    let told = school.kernel.events(school.tenant, "kernel.identity.resolved").await;
    assert_eq!(told.len(), 3, "who is new or changed");
    let text = json!(told).to_string();
    assert!(!text.contains("ana") && !text.contains("ben"), "no name in the chain: {text}");
}

#[tokio::test]
async fn entitlements_are_what_checks_would_allow() {
    let school = School::new().await;
    let features = || async {
        let answer = school.resolved(&claims()).await;
        let listed = answer["entitlements"].as_array().unwrap().clone();
        listed.iter().map(|one| one["feature"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(features().await, [""; 0], "no license");
    school.kernel.license(
        school.tenant,
        json!({"entitlements": [
            {"feature": "courses.play", "runtime_type": "courses"},
            {"feature": "labs.run", "runtime_type": "labs"},
            {"feature": "old", "valid_until": "2026-12-31T00:00:00Z"},
            {"feature": "export"},
        ]}),
    );
    let other = school.kernel.tenant().await;
    school.kernel.license(other, json!({"entitlements": [{"feature": "theirs"}]}));
    assert_eq!(features().await, ["courses.play", "export"]);
    school.kernel.hold_tenant(school.tenant, without("export")).await;
    assert_eq!(features().await, ["courses.play"]);
}

#[tokio::test]
async fn hostile_tokens_are_refused_with_two_codes() {
    let school = School::new().await;
    let (key, strange, rsa) = (&school.key, SigningKey::ed25519(), SigningKey::rsa());
    let none = json!({"alg": "none", "kid": key.kid}).to_string();
    let by_public_key =
        |algorithm| sign_by_secret(algorithm, key.public_pem.as_bytes(), &key.kid, &claims());
    for (what, token) in [
        ("no token", String::new()),
        ("noise", "a.b.c".to_owned()),
        ("alg none", format!("{}.", unsigned(&none, &claims().to_string()))),
        ("HS256 by the public key", by_public_key(jsonwebtoken::Algorithm::HS256)),
        ("HS512 by the public key", by_public_key(jsonwebtoken::Algorithm::HS512)),
        ("another kid", strange.sign(&claims())),
        ("another key", strange.sign_with(&key.header(), &claims())),
        ("another kind of key", rsa.sign_with(&json!({"alg": "RS256", "kid": key.kid}), &claims())),
        ("expired", key.sign(&claims_with(json!({"exp": NOW - 61})))),
        ("not yet", key.sign(&claims_with(json!({"nbf": NOW + 61})))),
        ("issued in the future", key.sign(&claims_with(json!({"iat": NOW + 61})))),
        ("another audience", key.sign(&claims_with(json!({"aud": "other"})))),
        ("no subject", key.sign(&claims_with(json!({"sub": null})))),
        ("too long", key.sign(&claims_with(json!({"padding": "x".repeat(20_000)})))),
    ] {
        assert_eq!(school.refused(&token).await, Code::IdentityTokenInvalid, "{what}");
    }
    let other = key.sign(&claims_with(json!({"iss": "https://attacker.example"})));
    assert_eq!(school.refused(&other).await, Code::IdentityProviderUnknown);
    assert!(school.kernel.events(school.tenant, "kernel.identity").await.is_empty());
}

#[tokio::test]
async fn a_token_ends_by_the_kernels_clock_and_keys_with_their_entry() {
    let school = School::new().await;
    let token = school.key.sign(&claims());
    school.ask(&token).of(&school.kernel).await.json();
    school.kernel.clock.pass(Duration::from_secs(3_660));
    assert_eq!(school.refused(&token).await, Code::IdentityTokenInvalid);

    let school = School::new().await;
    let token = school.key.sign(&claims());
    let next = SigningKey::p256();
    school.enter(&[school.key.jwk(), next.jwk()]).await;
    school.ask(&token).of(&school.kernel).await.json();
    school.enter(&[next.jwk()]).await;
    assert_eq!(school.refused(&token).await, Code::IdentityTokenInvalid, "the key was taken out");
    school.ask(&next.sign(&claims())).of(&school.kernel).await.json();

    let storage = &school.kernel.plane.storage;
    storage.remove_provider(school.tenant, crate::issuer::ISSUER, no_trail).await.unwrap();
    assert_eq!(school.refused(&next.sign(&claims())).await, Code::IdentityProviderUnknown);
}

#[tokio::test]
async fn an_agent_asks_for_its_runtimes_and_not_in_its_own_name() {
    let school = School::new().await;
    let agent = school.kernel.agent(&[school.tenant]).await;
    let runtime = school.kernel.runtime_of(&agent, school.tenant).await;
    let token = school.key.sign(&claims());
    let ask = |id| Ask::resolve(school.tenant, id, &token).by_agent(&agent);
    assert_eq!(ask(runtime).of(&school.kernel).await.json()["identity"]["external_id"], "ana");
    assert_eq!(ask(agent.agent_id).refused(&school.kernel).await, Code::RuntimeNotRegistered);
}

#[tokio::test]
async fn a_refusal_says_nothing_of_the_token() {
    let school = School::new().await;
    let token = school.key.sign(&claims_with(json!({"sub": "canary", "exp": NOW - 100})));
    let answer = school.ask(&token).of(&school.kernel).await;
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert_eq!(answer.problem().code, Code::IdentityTokenInvalid);
    assert!(answer.problem().detail.unwrap().contains("expired"));
    assert!(!text.contains("canary") && !text.contains(&token[..20]));
}
