//! Providers' tokens: what vouches for somebody, and what must not (RFC 7515, 7519, 8725).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use farhold_contract::{Code, Timestamp};
use farhold_kernel::{
    identity::{Person, Provider, ProviderError, TOKEN_MAX_BYTES, Token, TokenError},
    storage::IdentityProvider,
};

use crate::issuer::{
    self, AUDIENCE, ISSUER, NOW, SigningKey, claims, claims_with, sign_by_secret, unsigned,
};

pub(crate) fn entry(keys: &[Value]) -> IdentityProvider {
    issuer::provider_with("01939b6e-3c5f-7a31-8b53-0f6f1c2d3e01".parse().unwrap(), keys)
}

pub(crate) fn enter(keys: &[Value]) -> Result<Provider, ProviderError> {
    Provider::new(&entry(keys))
}

fn provider(keys: &[&SigningKey]) -> Provider {
    enter(&keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()).unwrap()
}

fn held_at(provider: &Provider, token: &str, seconds: i64) -> Result<Person, TokenError> {
    Token::read(token)?.vouched_for_by(provider, Timestamp::from_ms(seconds * 1_000))
}

pub(crate) fn held(provider: &Provider, token: &str) -> Result<Person, TokenError> {
    held_at(provider, token, NOW)
}

fn held_by(key: &SigningKey, claims: &Value) -> Result<Person, TokenError> {
    held(&provider(&[key]), &key.sign(claims))
}

#[test]
fn a_token_by_every_accepted_algorithm_vouches() {
    let rsa = SigningKey::rsa();
    let keys = [
        SigningKey::ed25519(),
        SigningKey::p256(),
        SigningKey::p384(),
        rsa.clone().signing(Algorithm::RS256),
        rsa.clone().signing(Algorithm::RS384),
        rsa.clone().signing(Algorithm::RS512),
        rsa.clone().signing(Algorithm::PS256),
        rsa.clone().signing(Algorithm::PS384),
        rsa.signing(Algorithm::PS512),
    ];
    for key in keys {
        let person = held_by(&key, &claims()).unwrap();
        assert_eq!(person.external_id, "ana", "{}", key.header());
    }
}

#[test]
fn groups_become_roles_by_the_map_and_the_others_are_dropped() {
    let key = SigningKey::ed25519();
    let roles =
        |groups: Value| held_by(&key, &claims_with(json!({"groups": groups}))).unwrap().roles;
    assert_eq!(roles(json!(["teachers", "choir"])), ["course-admin"]);
    assert_eq!(roles(json!(["teachers", "pupils", "staff"])), ["course-admin", "reader"]);
    assert_eq!(roles(json!("pupils")), ["reader"]);
    assert_eq!(roles(json!(["pupils", 7, {"teachers": true}])), ["reader"]);
    for nobody in
        [json!(["choir"]), json!([]), json!({"teachers": true}), json!(7), json!("TEACHERS")]
    {
        assert_eq!(roles(nobody.clone()), [""; 0], "{nobody}");
    }
    // A role's own name in the token is no role: only the map gives one.
    assert_eq!(roles(json!(["course-admin"])), [""; 0]);
}

#[test]
fn groups_may_stand_inside_other_claims() {
    let key = SigningKey::ed25519();
    let mut entered = entry(&[key.jwk()]);
    entered.role_map.claim = vec!["realm_access".to_owned(), "roles".to_owned()];
    entered.role_map.roles = [("auditor".to_owned(), "inspector".to_owned())].into();
    let provider = Provider::new(&entered).unwrap();
    let roles = |claims| held(&provider, &key.sign(&claims)).unwrap().roles;
    assert_eq!(roles(claims()), ["inspector"]);
    for elsewhere in [json!(["auditor"]), json!("auditor"), json!({"roles": {"auditor": 1}})] {
        assert_eq!(roles(claims_with(json!({"realm_access": elsewhere}))), [""; 0]);
    }
}

#[test]
fn attributes_are_texts_that_were_asked_for() {
    let person = held_by(&SigningKey::ed25519(), &claims()).unwrap();
    let attributes: Vec<_> = person.attributes.into_iter().collect();
    assert_eq!(attributes, [("email".to_owned(), "ana@school.example".to_owned())]);
}

#[test]
fn an_unsigned_token_vouches_for_nobody_in_any_spelling() {
    let key = SigningKey::ed25519();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": alg, "kid": key.kid}).to_string();
        let message = unsigned(&header, &claims().to_string());
        for token in [format!("{message}."), key.sign_texts(&header, &claims().to_string())] {
            assert_eq!(held(&provider(&[&key]), &token), Err(TokenError::Algorithm), "{alg:?}");
        }
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    for key in [SigningKey::rsa(), SigningKey::p256(), SigningKey::ed25519()] {
        let jwk = key.jwk();
        let raw = |member: &str| {
            jwk[member]
                .as_str()
                .map(|text| URL_SAFE_NO_PAD.decode(text).unwrap())
                .unwrap_or_default()
        };
        let secrets = [
            key.public_pem.clone().into_bytes(),
            key.public_pem.trim_end().as_bytes().to_vec(),
            jwk.to_string().into_bytes(),
            raw("n"),
            raw("x"),
            Vec::new(),
        ];
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            for secret in &secrets {
                let token = sign_by_secret(algorithm, secret, &key.kid, &claims());
                assert_eq!(held(&provider(&[&key]), &token), Err(TokenError::Algorithm));
            }
        }
    }
}

#[test]
fn an_algorithm_that_is_not_the_keys_own_is_refused_whatever_was_signed() {
    let (ed, p256, p384, rsa) =
        (SigningKey::ed25519(), SigningKey::p256(), SigningKey::p384(), SigningKey::rsa());
    for key in [&ed, &p256, &p384, &rsa] {
        for alg in ["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"] {
            if key.header()["alg"] == alg {
                continue;
            }
            let header = json!({"alg": alg, "kid": key.kid, "typ": "JWT"});
            let token = key.sign_with(&header, &claims());
            // Also an RSA key that its set keeps for one algorithm of its kind.
            assert_eq!(held(&provider(&[key]), &token), Err(TokenError::KeyMismatch), "{alg}");
        }
    }
    for alg in ["RS1", "ES512", "ES256K", "EdDSA ", "eddsa", "HS256", "A128KW", "RSA-OAEP"] {
        let header = json!({"alg": alg, "kid": ed.kid});
        let token = ed.sign_with(&header, &claims());
        assert_eq!(held(&provider(&[&ed]), &token), Err(TokenError::Algorithm), "{alg}");
    }
}

#[test]
fn an_rsa_key_without_an_algorithm_takes_those_of_its_kind_alone() {
    let key = SigningKey::rsa();
    let mut jwk = key.jwk();
    jwk.as_object_mut().unwrap().remove("alg");
    for algorithm in [Algorithm::RS256, Algorithm::PS384] {
        let token = key.clone().signing(algorithm).sign(&claims());
        assert!(held(&enter(&[jwk.clone()]).unwrap(), &token).is_ok());
    }
    // A signature of one kind under the name of another.
    let header = json!({"alg": "PS256", "kid": key.kid});
    let token = key.sign_with(&header, &claims());
    assert_eq!(held(&enter(&[jwk]).unwrap(), &token), Err(TokenError::Signature));
}

#[test]
fn a_key_that_a_token_brings_along_is_not_looked_at() {
    let (theirs, ours) = (SigningKey::ed25519(), SigningKey::ed25519());
    let brought = json!({
        "alg": "EdDSA", "kid": ours.kid, "jwk": theirs.jwk(),
        "jku": "https://attacker.example/jwks", "x5u": "https://attacker.example/x5u",
        "x5c": ["AAAA"],
    });
    let token = theirs.sign_with(&brought, &claims());
    assert_eq!(held(&provider(&[&ours]), &token), Err(TokenError::Signature));
}

#[test]
fn only_the_key_that_a_token_names_is_tried() {
    let (one, other, strange) =
        (SigningKey::ed25519(), SigningKey::ed25519(), SigningKey::ed25519());
    let held = |token: &str| held(&provider(&[&one, &other]), token);
    assert!(held(&one.sign(&claims())).is_ok());
    assert!(held(&other.sign(&claims())).is_ok());
    assert_eq!(held(&strange.sign(&claims())), Err(TokenError::KeyUnknown));
    let header = json!({"alg": "EdDSA", "kid": one.kid});
    assert_eq!(held(&other.sign_with(&header, &claims())), Err(TokenError::Signature));
    // Nothing is guessed among several.
    let nameless = json!({"alg": "EdDSA"});
    assert_eq!(held(&one.sign_with(&nameless, &claims())), Err(TokenError::KeyUnknown));
}

#[test]
fn a_nameless_token_means_the_only_key() {
    let key = SigningKey::ed25519();
    let token = key.sign_with(&json!({"alg": "EdDSA"}), &claims());
    assert!(held(&provider(&[&key]), &token).is_ok());
}

#[test]
fn every_changed_bit_of_a_token_is_refused() {
    let key = SigningKey::ed25519();
    let token = key.sign(&claims());
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(held(&provider(&[&key]), &changed).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn what_is_not_three_parts_of_one_json_object_each_is_no_token() {
    let key = SigningKey::ed25519();
    let (header, body) = (key.header().to_string(), claims().to_string());
    let good = key.sign(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let mut malformed = vec![
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        parts[..2].join("."),
        format!("{good}.{}", parts[2]),
        format!("{good}.a.b"),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!(" {good}"),
        key.sign_texts("[]", &body),
        key.sign_texts(&header, "[]"),
        key.sign_texts(&header, "\"ana\""),
        key.sign_texts(&header, &format!(" {body}")),
        key.sign_texts(&header, &format!("{body}{body}")),
        key.sign_texts(r#"{"kid":"x"}"#, &body),
        // Two readers must not disagree about which of two counts.
        key.sign_texts(r#"{"alg":"none","alg":"EdDSA"}"#, &body),
        key.sign_texts(&header, &body.replacen('{', r#"{"sub":"root","#, 1)),
    ];
    malformed.push(key.sign_texts(&header, &format!("{}1{}", "[".repeat(200), "]".repeat(200))));
    for token in malformed {
        assert_eq!(held(&provider(&[&key]), &token), Err(TokenError::Malformed), "{token}");
    }
    for tail in ["=", "A", "\n"] {
        let token = format!("{good}{tail}");
        assert_eq!(held(&provider(&[&key]), &token), Err(TokenError::Signature), "{tail:?}");
    }
}

#[test]
fn a_token_longer_than_tokens_are_is_not_read() {
    let key = SigningKey::ed25519();
    let long = key.sign(&claims_with(json!({"padding": "x".repeat(TOKEN_MAX_BYTES)})));
    assert_eq!(held(&provider(&[&key]), &long), Err(TokenError::TooLong));
}

#[test]
fn a_header_that_asks_for_what_is_not_known_is_refused() {
    let key = SigningKey::ed25519();
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("x")] {
        let mut header = key.header();
        header["crit"] = crit;
        let token = key.sign_with(&header, &claims());
        assert_eq!(held(&provider(&[&key]), &token), Err(TokenError::Critical));
    }
}

#[test]
fn a_token_made_for_another_purpose_is_refused() {
    let key = SigningKey::ed25519();
    for (kind, good) in [
        ("JWT", true),
        ("jwt", true),
        ("at+jwt", true),
        ("application/at+jwt", true),
        ("logout+jwt", false),
        ("dpop+jwt", false),
        ("secevent+jwt", false),
    ] {
        let mut header = key.header();
        header["typ"] = kind.into();
        let held = held(&provider(&[&key]), &key.sign_with(&header, &claims()));
        assert_eq!(held.is_ok(), good, "{kind}");
    }
}

#[test]
fn a_token_holds_from_its_beginning_to_its_end_with_a_minute_of_leeway() {
    let key = SigningKey::ed25519();
    let token = key.sign(&claims_with(json!({"iat": null, "nbf": NOW, "exp": NOW + 600})));
    let provider = provider(&[&key]);
    let at = |seconds| held_at(&provider, &token, seconds).map(drop);
    assert_eq!(at(NOW - 61), Err(TokenError::NotYet));
    assert_eq!(at(NOW - 60), Ok(()));
    assert_eq!(at(NOW + 600 + 59), Ok(()));
    assert_eq!(at(NOW + 600 + 60), Err(TokenError::Expired));
}

#[test]
fn a_token_issued_in_the_future_or_after_its_end_is_refused() {
    let key = SigningKey::ed25519();
    let issued = |iat: i64, exp: i64| held_by(&key, &claims_with(json!({"iat": iat, "exp": exp})));
    assert!(issued(NOW + 60, NOW + 600).is_ok());
    assert_eq!(issued(NOW + 61, NOW + 600), Err(TokenError::NotYet));
    assert_eq!(issued(NOW, NOW - 30), Err(TokenError::Claim { claim: "iat" }));
}

#[test]
fn a_time_that_cannot_be_read_is_not_an_absent_one() {
    let key = SigningKey::ed25519();
    for claim in ["exp", "nbf", "iat"] {
        for odd in [json!("1798765200"), json!(-1), json!(1e300), json!([NOW]), json!(true)] {
            let token = claims_with(json!({claim: odd}));
            assert_eq!(held_by(&key, &token), Err(TokenError::Claim { claim }), "{claim} {odd}");
        }
    }
    assert_eq!(
        held_by(&key, &claims_with(json!({"exp": null}))),
        Err(TokenError::Claim { claim: "exp" })
    );
    // NumericDate may be a fraction.
    assert!(held_by(&key, &claims_with(json!({"exp": 1_798_761_660.5}))).is_ok());
}

#[test]
fn a_null_claim_is_not_an_absent_one() {
    let key = SigningKey::ed25519();
    let body = claims().to_string().replacen(&format!("\"nbf\":{}", NOW - 60), "\"nbf\":null", 1);
    let token = key.sign_texts(&key.header().to_string(), &body);
    assert_eq!(held(&provider(&[&key]), &token), Err(TokenError::Claim { claim: "nbf" }));
}

#[test]
fn a_token_for_others_is_refused() {
    let key = SigningKey::ed25519();
    let aud = |aud: Value| held_by(&key, &claims_with(json!({"aud": aud}))).map(drop);
    assert_eq!(aud(json!(AUDIENCE)), Ok(()));
    assert_eq!(aud(json!(["another", AUDIENCE])), Ok(()));
    for other in [json!("another"), json!(["another"]), json!([]), json!("courses-app2"), json!("")]
    {
        assert_eq!(aud(other), Err(TokenError::Audience));
    }
    for odd in [Value::Null, json!([AUDIENCE, 7]), json!({"courses-app": 1}), json!(7)] {
        assert_eq!(aud(odd), Err(TokenError::Claim { claim: "aud" }));
    }
}

#[test]
fn the_issuer_is_compared_letter_for_letter() {
    let key = SigningKey::ed25519();
    for issuer in [
        "https://login.school.example/",
        "HTTPS://login.school.example",
        "https://login.school.example.attacker.example",
        "http://login.school.example",
        "",
    ] {
        let token = claims_with(json!({"iss": issuer}));
        assert_eq!(held_by(&key, &token), Err(TokenError::Claim { claim: "iss" }), "{issuer}");
    }
    for odd in [Value::Null, json!([ISSUER]), json!(7)] {
        let text = key.sign(&claims_with(json!({"iss": odd})));
        let token = Token::read(&text).unwrap();
        assert_eq!(token.danger_unverified_issuer(), Err(TokenError::Claim { claim: "iss" }));
        assert_eq!(held(&provider(&[&key]), &text), Err(TokenError::Claim { claim: "iss" }));
    }
}

#[test]
fn another_providers_key_does_not_vouch_for_this_issuer() {
    let (ours, theirs) = (SigningKey::ed25519(), SigningKey::ed25519());
    let provider = provider(&[&ours]);
    assert_eq!(held(&provider, &theirs.sign(&claims())), Err(TokenError::KeyUnknown));
    let renamed = theirs.sign_with(&json!({"alg": "EdDSA", "kid": ours.kid}), &claims());
    assert_eq!(held(&provider, &renamed), Err(TokenError::Signature));
}

#[test]
fn a_token_about_nobody_is_refused() {
    let key = SigningKey::ed25519();
    for sub in
        [Value::Null, json!(""), json!(7), json!("x".repeat(256)), json!("a\nb"), json!(["a"])]
    {
        let token = claims_with(json!({"sub": sub}));
        assert_eq!(held_by(&key, &token), Err(TokenError::Claim { claim: "sub" }));
    }
}

#[test]
fn refusals_have_two_codes_and_never_a_word_of_the_token() {
    assert_eq!(TokenError::ProviderUnknown.code(), Code::IdentityProviderUnknown);
    let key = SigningKey::ed25519();
    let token = key.sign(&claims_with(json!({"sub": "", "email": "canary"})));
    let error = held(&provider(&[&key]), &token).unwrap_err();
    assert_eq!(error.code(), Code::IdentityTokenInvalid);
    assert!(!error.to_string().contains("canary") && !format!("{error:?}").contains("canary"));
}
