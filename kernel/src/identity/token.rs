//! A signed token: three parts, of which nothing counts before the third holds (RFC 7515, 8725).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use serde::{
    Deserialize,
    de::{DeserializeOwned, DeserializeSeed},
};
use serde_json::{Map, Value};

use farhold_api::present;
use farhold_bundle::strict_json::{Values, Walk};
use farhold_contract::Timestamp;

use super::{Person, Provider, TokenError, claims::Claims, keys::Keys};

/// Most bytes of a token: one with hundreds of groups has some 10 KiB.
pub const TOKEN_MAX_BYTES: usize = 16 << 10;

/// Deepest nesting in a token's header or claims.
const JSON_DEPTH: usize = 16;

/// A token in its parts. What it claims can't be reached without [`Token::vouched_for_by`].
///
/// No `Debug`: a token is a secret as long as it holds.
pub struct Token<'t> {
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Map<String, Value>,
    signed: &'t [u8],
    signature: &'t str,
}

impl<'t> Token<'t> {
    /// Takes a token apart. Nothing in it is proven yet.
    ///
    /// # Errors
    /// [`TokenError::TooLong`], [`TokenError::Malformed`], [`TokenError::Algorithm`],
    /// [`TokenError::Critical`], [`TokenError::Type`].
    pub fn read(token: &'t str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        // An encrypted token has five parts.
        let (header, payload) = signed
            .split_once('.')
            .filter(|(_, payload)| !payload.contains('.'))
            .ok_or(TokenError::Malformed)?;
        let header: Header = object(header)?;
        // RFC 8725 §3.1: the algorithm comes from a list of ours, before anything is made of it.
        let algorithm = accepted(&header.alg).ok_or(TokenError::Algorithm)?;
        // RFC 7515 §4.1.11: no extension is understood here.
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        header.is_for_identities()?;
        let claims = object(payload)?;
        Ok(Self { algorithm, key_id: header.kid, claims, signed: signed.as_bytes(), signature })
    }

    /// What the token says of its issuer: only to choose the provider it is then held to.
    ///
    /// # Errors
    /// [`TokenError::Claim`].
    pub fn danger_unverified_issuer(&self) -> Result<&str, TokenError> {
        let issuer = self.claims.get("iss").and_then(Value::as_str);
        issuer.ok_or(TokenError::Claim { claim: "iss" })
    }

    /// Holds the token to a provider: its keys first, and only then what it claims.
    ///
    /// # Errors
    /// [`TokenError`], the first check that fails.
    pub fn vouched_for_by(self, provider: &Provider, now: Timestamp) -> Result<Person, TokenError> {
        let claims = self.verify(provider.keys())?;
        let external_id = claims.check(provider.issuer(), provider.audience(), now)?;
        Ok(Person {
            external_id,
            roles: provider.roles_in(&claims),
            attributes: provider.attributes_in(&claims),
        })
    }

    fn verify(self, keys: &Keys) -> Result<Claims, TokenError> {
        let key = keys.named(self.key_id.as_deref(), self.algorithm)?;
        match crypto::verify(self.signature, self.signed, key, self.algorithm) {
            Ok(true) => Ok(Claims::after_proof(self.claims)),
            Ok(false) | Err(_) => Err(TokenError::Signature),
        }
    }
}

/// What is read of a header. Keys and links to keys in it (`jwk`, `jku`, `x5c`, `x5u`) are not:
/// a token never brings what it is held to.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<Value>,
}

impl Header {
    /// RFC 8725 §3.11: a token made for another purpose (a logout, a proof of possession) says so.
    fn is_for_identities(&self) -> Result<(), TokenError> {
        let Some(kind) = &self.typ else { return Ok(()) };
        let kind = kind.to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        if matches!(kind, "jwt" | "at+jwt") { Ok(()) } else { Err(TokenError::Type) }
    }
}

/// The algorithm by its name (RFC 7518 §3.1, RFC 8037 §3.1), if it is one with a public key.
///
/// `none` and the algorithms with a shared secret are not here: a public key is no secret.
pub(super) fn accepted(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        _ => return None,
    })
}

/// One JSON object out of base64url; two members of one name are refused (RFC 7515 §4, RFC 7519
/// §4 leave that choice): nobody can then read another one of them.
fn object<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    if bytes.first() != Some(&b'{') {
        return Err(TokenError::Malformed);
    }
    let mut finding = None;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    Walk { depth: 0, deepest: JSON_DEPTH, values: Values::Any, finding: &mut finding }
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}
