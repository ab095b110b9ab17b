//! `POST /kernel/agents/enroll` and `POST /kernel/agents/{runtime_id}/certificate`: how an agent
//! becomes and stays the Kernel's delegate. The bodies sent are signed documents (`bundle.md` §7).

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    digest::Sha256Digest,
    id::{RuntimeId, TenantId},
};

/// What an enrollment token's text begins with.
pub const ENROLL_TOKEN_PREFIX: &str = "fhe1.";

/// Most bytes of an enrollment token's text: a long base URL fits.
pub const ENROLL_TOKEN_MAX_BYTES: usize = 4096;

/// What opens a Kernel to one new agent. No `Debug`: the secret is one.
///
/// Its text is [`ENROLL_TOKEN_PREFIX`] and the base64url of its JSON, without padding.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollToken {
    /// The Kernel's base URL: `https://`, without a trailing slash.
    pub url: String,
    /// SHA-256 of the SPKI of the only certificate trusted as an anchor.
    pub ca_sha256: Sha256Digest,
    /// SHA-256 of the payload of the trust root that the answer must carry.
    pub root_sha256: Sha256Digest,
    /// 32 random bytes, base64url without padding.
    pub secret: String,
}

/// The text is not an enrollment token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an enrollment token: {0}")]
pub struct EnrollTokenError(&'static str);

impl EnrollToken {
    /// The token as it is handed over.
    pub fn to_text(&self) -> String {
        // Four texts: writing them can't fail.
        let json = serde_json::to_vec(self).unwrap_or_default();
        format!("{ENROLL_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }

    /// The secret's 32 bytes.
    ///
    /// # Errors
    /// [`EnrollTokenError`].
    pub fn secret_bytes(&self) -> Result<[u8; 32], EnrollTokenError> {
        URL_SAFE_NO_PAD
            .decode(&self.secret)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(EnrollTokenError("its secret is not 32 bytes"))
    }

    /// The secret for these bytes, as a token carries it.
    pub fn secret_text(secret: &[u8; 32]) -> String {
        URL_SAFE_NO_PAD.encode(secret)
    }
}

impl FromStr for EnrollToken {
    type Err = EnrollTokenError;

    /// White space around it is dropped: it was pasted.
    fn from_str(text: &str) -> Result<Self, EnrollTokenError> {
        let text = text.trim();
        if text.len() > ENROLL_TOKEN_MAX_BYTES {
            return Err(EnrollTokenError("it is too long"));
        }
        let body = text
            .strip_prefix(ENROLL_TOKEN_PREFIX)
            .ok_or(EnrollTokenError("it does not begin with fhe1."))?;
        let json = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| EnrollTokenError("it is not whole; copy it again"))?;
        let token: Self = serde_json::from_slice(&json)
            .map_err(|_| EnrollTokenError("it is not whole; copy it again"))?;
        token.secret_bytes()?;
        if !token.url.starts_with("https://") || token.url.ends_with('/') {
            return Err(EnrollTokenError("its url is not a base URL with https"));
        }
        Ok(token)
    }
}

/// Shows where it leads, never its secret.
impl fmt::Debug for EnrollToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrollToken").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The answer to an enrollment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrollResponse {
    /// The agent's certificate, PEM.
    pub certificate: String,
    /// From its issuer to the CA named in the token, each PEM.
    pub chain: Vec<String>,
    /// The tenants of the site; the first is the agent's own.
    pub tenants: Vec<TenantId>,
    /// The agent, as the Kernel knows it.
    pub runtime_id: RuntimeId,
    /// The envelope of the trust root, byte for byte.
    pub root: Box<RawValue>,
}

/// The answer to a renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewResponse {
    /// The agent's certificate, PEM.
    pub certificate: String,
    /// From its issuer to a CA, each PEM.
    pub chain: Vec<String>,
    /// Every CA the Kernel stands under, PEM: the old and the new one during a rotation.
    pub ca: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> EnrollToken {
        EnrollToken {
            url: "https://kernel.example:7443".to_owned(),
            ca_sha256: Sha256Digest::new([1; 32]),
            root_sha256: Sha256Digest::new([2; 32]),
            secret: EnrollToken::secret_text(&[3; 32]),
        }
    }

    #[test]
    fn a_token_survives_being_pasted_with_white_space_around_it() {
        let pasted = format!("  {}\r\n", token().to_text());
        assert_eq!(pasted.parse::<EnrollToken>().unwrap(), token());
    }

    #[test]
    fn a_token_cut_short_or_for_plain_http_is_refused() {
        let text = token().to_text();
        for cut in [0, 4, 5, 20, text.len() - 1] {
            assert!(text[..cut].parse::<EnrollToken>().is_err(), "{cut}");
        }
        let plain = EnrollToken { url: "http://kernel.example".to_owned(), ..token() };
        assert!(plain.to_text().parse::<EnrollToken>().is_err());
    }

    #[test]
    fn a_token_never_shows_its_secret() {
        assert!(!format!("{:?}", token()).contains(&token().secret));
    }
}
