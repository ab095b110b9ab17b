//! Provider: what an administrator entered about an organization's identity provider, held to its
//! rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use farhold_contract::model;

use crate::storage::{IdentityProvider, RoleMap};

use super::{claims::Claims, keys::Keys};

/// Longest issuer, audience, role or claim's name, in bytes.
const TEXT_MAX_BYTES: usize = 512;
/// Most mapped groups or attributes of one provider.
const LIST_MAX: usize = 1_000;

/// Why what was entered can't be a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A text is empty, too long, or not for people to read.
    #[error("{0} must be 1 to {TEXT_MAX_BYTES} bytes without control characters")]
    Text(&'static str),
    /// A list is too long.
    #[error("there may be at most {LIST_MAX} {0}")]
    List(&'static str),
    /// Groups are mapped, and nothing says where tokens name them.
    #[error("the role map has no claim to read groups from")]
    Claim,
    /// The keys can't be used.
    #[error("the keys can't be used: {0}")]
    Keys(&'static str),
}

/// A provider, ready to hold tokens to. No `Debug`: it is long, and of no use in a log.
pub struct Provider {
    kind: model::Provider,
    issuer: String,
    audience: String,
    keys: Keys,
    role_map: RoleMap,
    attributes: Vec<String>,
}

impl Provider {
    /// Holds what was entered to its rules.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn new(entered: &IdentityProvider) -> Result<Self, ProviderError> {
        let IdentityProvider { kind, issuer, audience, jwks, role_map, attributes, .. } = entered;
        text("the issuer", issuer)?;
        text("the audience", audience)?;
        list("groups", role_map.roles.len())?;
        for (group, role) in &role_map.roles {
            text("a group", group)?;
            text("a role", role)?;
        }
        role_map.claim.iter().try_for_each(|name| text("a claim", name))?;
        if role_map.claim.is_empty() && !role_map.roles.is_empty() {
            return Err(ProviderError::Claim);
        }
        list("attributes", attributes.len())?;
        attributes.iter().try_for_each(|name| text("an attribute", name))?;
        Ok(Self {
            kind: *kind,
            issuer: issuer.clone(),
            audience: audience.clone(),
            keys: Keys::of(jwks)?,
            role_map: role_map.clone(),
            attributes: attributes.clone(),
        })
    }

    /// What kind of provider it is.
    pub const fn kind(&self) -> model::Provider {
        self.kind
    }

    /// Its name: the `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    pub(super) const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The organization's roles that the token's groups map to; the others are dropped.
    pub(super) fn roles_in(&self, claims: &Claims) -> Vec<String> {
        let groups = match claims.at(&self.role_map.claim) {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let roles: BTreeSet<&String> =
            groups.into_iter().filter_map(|group| self.role_map.roles.get(group)).collect();
        roles.into_iter().cloned().collect()
    }

    /// The attributes that the token has as texts.
    pub(super) fn attributes_in(&self, claims: &Claims) -> BTreeMap<String, String> {
        let found = |name: &String| {
            let value = claims.at(std::slice::from_ref(name))?.as_str()?;
            Some((name.clone(), value.to_owned()))
        };
        self.attributes.iter().filter_map(found).collect()
    }
}

fn text(what: &'static str, text: &str) -> Result<(), ProviderError> {
    let fits = (1..=TEXT_MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(ProviderError::Text(what)) }
}

fn list(what: &'static str, length: usize) -> Result<(), ProviderError> {
    if length <= LIST_MAX { Ok(()) } else { Err(ProviderError::List(what)) }
}
