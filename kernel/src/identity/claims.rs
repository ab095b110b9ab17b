//! Claims: what a token says, once its signature holds (RFC 7519 §4.1).

use std::time::Duration;

use serde_json::{Map, Value};

use farhold_contract::Timestamp;

use super::TokenError;

/// How far the provider's clock and ours may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// Longest name of a person at its provider, in bytes (OpenID Connect Core §2: 255).
const SUBJECT_MAX_BYTES: usize = 255;

/// What a token says. There is no other way to it than a signature that holds.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// The one constructor; only the check of the signature calls it.
    pub(super) const fn after_proof(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Holds issuer, audience and times to the provider's; returns `sub`.
    pub(super) fn check(
        &self,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<String, TokenError> {
        if self.text("iss") != Some(issuer) {
            return Err(TokenError::Claim { claim: "iss" });
        }
        if !self.audience()?.any(|named| named == audience) {
            return Err(TokenError::Audience);
        }
        let expires = self.time("exp")?.ok_or(TokenError::Claim { claim: "exp" })?;
        if now >= expires + LEEWAY {
            return Err(TokenError::Expired);
        }
        let begins = self.time("nbf")?;
        let issued = self.time("iat")?;
        if [begins, issued].into_iter().flatten().any(|from| from > now + LEEWAY) {
            return Err(TokenError::NotYet);
        }
        if issued.is_some_and(|issued| issued > expires) {
            return Err(TokenError::Claim { claim: "iat" });
        }
        self.text("sub")
            .filter(|sub| (1..=SUBJECT_MAX_BYTES).contains(&sub.len()))
            .filter(|sub| !sub.chars().any(char::is_control))
            .map(str::to_owned)
            .ok_or(TokenError::Claim { claim: "sub" })
    }

    /// What stands where these names lead, each inside the one before.
    pub(super) fn at(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(first)?, |value, name| value.as_object()?.get(name))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// One text, or a list of nothing else.
    fn audience(&self) -> Result<impl Iterator<Item = &str>, TokenError> {
        let named = match self.0.get("aud") {
            Some(Value::String(one)) => Some(vec![one.as_str()]),
            Some(Value::Array(many)) => many.iter().map(Value::as_str).collect(),
            _ => None,
        };
        Ok(named.ok_or(TokenError::Claim { claim: "aud" })?.into_iter())
    }

    /// A NumericDate: seconds since 1970, whole or not. One that can't be read is not an absent one.
    fn time(&self, claim: &'static str) -> Result<Option<Timestamp>, TokenError> {
        let Some(value) = self.0.get(claim) else { return Ok(None) };
        let ms = value.as_f64().map(|seconds| seconds * 1_000.0);
        #[allow(clippy::cast_precision_loss)] // a bound: a millisecond more or less changes nothing
        let last = Timestamp::MAX.as_ms() as f64;
        match ms {
            #[allow(clippy::cast_possible_truncation)] // within the bounds just checked
            Some(ms) if (0.0..=last).contains(&ms) => Ok(Some(Timestamp::from_ms(ms as i64))),
            _ => Err(TokenError::Claim { claim }),
        }
    }
}
