//! An identity provider of the tests: it has keys, publishes them, and signs whatever it is told.

use std::sync::{
    LazyLock,
    atomic::{AtomicU8, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
    RsaKeySize,
};
use serde_json::{Value, json};

use farhold_contract::{id::TenantId, model::Provider};
use farhold_kernel::storage::{IdentityProvider, RoleMap};

pub(crate) const ISSUER: &str = "https://login.school.example";
pub(crate) const AUDIENCE: &str = "courses-app";
/// 2027-01-01T00:00:00Z, in the seconds that tokens count.
pub(crate) const NOW: i64 = 1_798_761_600;

/// Making an RSA key takes a while: one serves every test that only needs any.
static RSA: LazyLock<KeyPair> = LazyLock::new(rsa_key);

/// A signing key and the name it is published under.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
    public: Value,
    /// The public half as it would stand in a file, for those who take it for a secret.
    pub(crate) public_pem: String,
}

impl SigningKey {
    pub(crate) fn ed25519() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let public = json!({
            "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key_raw()),
        });
        let key = EncodingKey::from_ed_der(&pair.serialize_der());
        Self::new(Algorithm::EdDSA, key, public, &pair)
    }

    pub(crate) fn p256() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self::derived(Algorithm::ES256, EncodingKey::from_ec_der(&pair.serialize_der()), &pair)
    }

    pub(crate) fn p384() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        Self::derived(Algorithm::ES384, EncodingKey::from_ec_der(&pair.serialize_der()), &pair)
    }

    pub(crate) fn rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(RSA.serialize_pem().as_bytes()).unwrap();
        Self::derived(Algorithm::RS256, key, &RSA)
    }

    fn derived(algorithm: Algorithm, key: EncodingKey, pair: &KeyPair) -> Self {
        let public = serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap());
        Self::new(algorithm, key, public.unwrap(), pair)
    }

    fn new(algorithm: Algorithm, key: EncodingKey, public: Value, pair: &KeyPair) -> Self {
        static KEYS: AtomicU8 = AtomicU8::new(0);
        let kid = format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed));
        Self { kid, algorithm, key, public, public_pem: pair.public_key_pem() }
    }

    /// The same key for another algorithm of its kind.
    pub(crate) fn signing(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.public.clone();
        jwk["alg"] = format!("{:?}", self.algorithm).into();
        jwk["kid"] = self.kid.clone().into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": format!("{:?}", self.algorithm), "kid": self.kid, "typ": "JWT"})
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    /// A token with any header, signed all the same by this key.
    pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.sign_texts(&header.to_string(), &claims.to_string())
    }

    /// The same of any text, JSON or not.
    pub(crate) fn sign_texts(&self, header: &str, claims: &str) -> String {
        let message = unsigned(header, claims);
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// A token's first two parts.
pub(crate) fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// A token signed with a shared secret.
pub(crate) fn sign_by_secret(
    algorithm: Algorithm,
    secret: &[u8],
    kid: &str,
    claims: &Value,
) -> String {
    let header = json!({"alg": format!("{algorithm:?}"), "kid": kid, "typ": "JWT"});
    let message = unsigned(&header.to_string(), &claims.to_string());
    let signature =
        crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret), algorithm).unwrap();
    format!("{message}.{signature}")
}

/// What an honest token claims at [`NOW`].
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "ana", "aud": AUDIENCE,
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3_600,
        "email": "ana@school.example", "groups": ["teachers", "choir"],
        "realm_access": {"roles": ["auditor"]}, "age": 44,
    })
}

/// The same with these members instead; `null` takes one out.
pub(crate) fn claims_with(members: Value) -> Value {
    let mut claims = claims();
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// What an administrator enters about a provider with these keys.
pub(crate) fn provider_with(tenant_id: TenantId, keys: &[Value]) -> IdentityProvider {
    let role = |group: &str, role: &str| (group.to_owned(), role.to_owned());
    IdentityProvider {
        tenant_id,
        name: "the school's".to_owned(),
        kind: Provider::Oidc,
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks: json!({"keys": keys}),
        role_map: RoleMap {
            claim: vec!["groups".to_owned()],
            roles: [
                role("teachers", "course-admin"),
                role("staff", "course-admin"),
                role("pupils", "reader"),
            ]
            .into(),
        },
        attributes: vec!["email".to_owned(), "age".to_owned(), "phone".to_owned()],
    }
}

fn rsa_key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}
