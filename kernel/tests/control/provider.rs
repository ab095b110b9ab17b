//! Providers as they are entered: what is refused before any token is held to it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use farhold_kernel::{
    identity::{Provider, ProviderError, TokenError},
    storage::IdentityProvider,
};

use crate::{
    issuer::{SigningKey, claims},
    token::{enter, entry, held},
};

#[test]
fn private_and_shared_keys_are_never_entered() {
    let key = SigningKey::ed25519();
    for (member, value) in [("d", "AAAA"), ("k", "AAAA"), ("p", "AAAA"), ("oth", "AAAA")] {
        let mut jwk = key.jwk();
        jwk[member] = value.into();
        assert!(matches!(enter(&[jwk]), Err(ProviderError::Keys(_))), "{member}");
    }
    let shared = json!({"kty": "oct", "kid": "s", "k": "c2VjcmV0"});
    assert!(enter(&[key.jwk(), shared]).is_err());
}

#[test]
fn keys_for_other_uses_are_passed_over_and_none_left_is_refused() {
    let (key, other) = (SigningKey::ed25519(), SigningKey::rsa());
    let unusable = [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("alg", json!("RSA-OAEP")),
        ("kty", json!("LMS")),
    ];
    for (member, value) in unusable {
        let mut jwk = other.jwk();
        jwk[member] = value;
        assert!(matches!(enter(&[jwk.clone()]), Err(ProviderError::Keys(_))));
        let mixed = enter(&[jwk, key.jwk()]).unwrap();
        assert_eq!(held(&mixed, &other.sign(&claims())), Err(TokenError::KeyUnknown), "{member}");
    }
}

#[test]
fn weak_and_broken_keys_are_not_entered() {
    let rsa = SigningKey::rsa().jwk();
    let with = |jwk: &Value, member: &str, value: &str| {
        let mut jwk = jwk.clone();
        jwk[member] = value.into();
        matches!(enter(&[jwk]), Err(ProviderError::Keys(_)))
    };
    let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
    let padded = URL_SAFE_NO_PAD.encode([vec![0; 128], vec![0xff; 128]].concat());
    assert!(with(&rsa, "n", &short), "1024 bits");
    assert!(with(&rsa, "n", &padded), "1024 bits behind zeros");
    assert!(with(&rsa, "n", "*"), "no base64url");
    let p256 = SigningKey::p256().jwk();
    assert!(with(&p256, "x", &short), "a point of another length");
    assert!(with(&p256, "crv", "P-384"), "a point of another curve");
    assert!(with(&SigningKey::ed25519().jwk(), "x", "AAAA"));
}

#[test]
fn two_keys_under_one_name_are_not_entered() {
    let (one, mut other) = (SigningKey::ed25519(), SigningKey::ed25519());
    other.kid.clone_from(&one.kid);
    assert!(enter(&[one.jwk(), other.jwk()]).is_err());
    let nameless = || {
        let mut jwk = SigningKey::ed25519().jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    };
    assert!(enter(&[nameless()]).is_ok());
    assert!(enter(&[nameless(), nameless()]).is_err());
}

#[test]
fn a_provider_is_held_to_its_rules_when_it_is_entered() {
    let jwk = SigningKey::ed25519().jwk();
    let refused = |spoil: &dyn Fn(&mut IdentityProvider)| {
        let mut entered = entry(std::slice::from_ref(&jwk));
        spoil(&mut entered);
        Provider::new(&entered).err()
    };
    assert_eq!(refused(&|_| {}), None);
    assert_eq!(refused(&|entry| entry.issuer.clear()), Some(ProviderError::Text("the issuer")));
    assert_eq!(
        refused(&|entry| entry.issuer.push('\u{7}')),
        Some(ProviderError::Text("the issuer"))
    );
    assert_eq!(refused(&|entry| entry.audience.clear()), Some(ProviderError::Text("the audience")));
    assert_eq!(refused(&|entry| entry.role_map.claim.clear()), Some(ProviderError::Claim));
    assert_eq!(
        refused(&|entry| entry.attributes = vec![String::new()]),
        Some(ProviderError::Text("an attribute"))
    );
    for jwks in [json!(null), json!([]), json!({}), json!({"keys": []}), json!({"keys": ["x"]})] {
        let refused = refused(&|entry| entry.jwks = jwks.clone());
        assert!(matches!(refused, Some(ProviderError::Keys(_))), "{jwks}");
    }
}
