//! Keys: a provider's JSON Web Key Set, held to its rules once, when it is entered (RFC 7517, 7518).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::{ProviderError, TokenError, token::accepted};

/// Most keys of one provider: some publish a dozen.
const KEYS_MAX: usize = 64;

/// Bits of an RSA modulus that are taken: fewer can be broken, more cost too much to verify.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Members that only private or shared keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A provider's keys that tokens can be held to.
pub(super) struct Keys(Vec<Key>);

struct Key {
    key_id: Option<String>,
    /// The one algorithm it is for, where the set says so.
    only: Option<Algorithm>,
    kind: Kind,
    public: DecodingKey,
}

/// What a key can verify: never anything but its own kind of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Keys {
    /// Takes the keys out of a set. Keys for other uses, or of kinds not known here, are passed
    /// over: providers publish them beside the others.
    pub(super) fn of(set: &Value) -> Result<Self, ProviderError> {
        let listed = set.get("keys").and_then(Value::as_array);
        let listed = listed.ok_or(ProviderError::Keys("they are not a JSON Web Key Set"))?;
        if listed.len() > KEYS_MAX {
            return Err(ProviderError::Keys("there are more than 64"));
        }
        let mut keys: Vec<Key> = Vec::new();
        for jwk in listed {
            let jwk =
                jwk.as_object().ok_or(ProviderError::Keys("one of them is no JSON object"))?;
            let Some(key) = Key::of(jwk)? else { continue };
            if keys.iter().any(|other| other.key_id == key.key_id) {
                return Err(ProviderError::Keys("two of them have the same kid, or none"));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(ProviderError::Keys("none of them verifies signatures"));
        }
        Ok(Self(keys))
    }

    /// The key that a token names. One that names none means the only one.
    pub(super) fn named(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&DecodingKey, TokenError> {
        let key = match (key_id, self.0.as_slice()) {
            (Some(_), keys) => keys.iter().find(|key| key.key_id.as_deref() == key_id),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let key = key.ok_or(TokenError::KeyUnknown)?;
        // RFC 8725 §3.1: a key is used with the algorithms of its own kind, never with whatever the
        // token asks for.
        let for_it = key.kind.verifies(algorithm) && key.only.is_none_or(|only| only == algorithm);
        if for_it { Ok(&key.public) } else { Err(TokenError::KeyMismatch) }
    }
}

impl Key {
    fn of(jwk: &Map<String, Value>) -> Result<Option<Self>, ProviderError> {
        if PRIVATE_MEMBERS.iter().any(|member| jwk.contains_key(*member)) {
            return Err(ProviderError::Keys("one of them is a private or a shared key"));
        }
        let text = |member: &str| jwk.get(member).and_then(Value::as_str);
        let for_signatures = jwk.get("use").is_none_or(|usage| usage == "sig")
            && jwk.get("key_ops").is_none_or(|operations| {
                operations.as_array().is_some_and(|list| list.iter().any(|one| one == "verify"))
            });
        let kind = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => Kind::Rsa,
            (Some("EC"), Some("P-256")) => Kind::P256,
            (Some("EC"), Some("P-384")) => Kind::P384,
            (Some("OKP"), Some("Ed25519")) => Kind::Ed25519,
            _ => return Ok(None),
        };
        let only = text("alg").map(accepted);
        if !for_signatures || only == Some(None) {
            return Ok(None);
        }
        let member = |name: &'static str| {
            text(name)
                .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok().map(|raw| (encoded, raw)))
                .ok_or(ProviderError::Keys("one of them lacks a member of its kind"))
        };
        let public = match kind {
            Kind::Rsa => {
                let ((modulus, n), (exponent, _)) = (member("n")?, member("e")?);
                if !RSA_BITS.contains(&bits(&n)) {
                    return Err(ProviderError::Keys("an RSA key has not 2048 to 8192 bits"));
                }
                DecodingKey::from_rsa_components(modulus, exponent)
            }
            Kind::P256 | Kind::P384 => {
                let ((x, x_raw), (y, y_raw)) = (member("x")?, member("y")?);
                let length = if kind == Kind::P256 { 32 } else { 48 };
                if x_raw.len() != length || y_raw.len() != length {
                    return Err(ProviderError::Keys("a point is not as long as its curve says"));
                }
                DecodingKey::from_ec_components(x, y)
            }
            Kind::Ed25519 => {
                let (x, raw) = member("x")?;
                if raw.len() != 32 {
                    return Err(ProviderError::Keys("a point is not as long as its curve says"));
                }
                DecodingKey::from_ed_components(x)
            }
        };
        let public = public.map_err(|_| ProviderError::Keys("one of them can't be read"))?;
        Ok(Some(Self {
            key_id: text("kid").map(str::to_owned),
            only: only.flatten(),
            kind,
            public,
        }))
    }
}

impl Kind {
    const fn verifies(self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Self::P256 => matches!(algorithm, ES256),
            Self::P384 => matches!(algorithm, ES384),
            Self::Ed25519 => matches!(algorithm, EdDSA),
        }
    }
}

/// How long a number is, without the zeros before it.
fn bits(number: &[u8]) -> usize {
    let significant = number.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &number[at..]);
    significant.first().map_or(0, |first| {
        significant.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or(0)
    })
}
