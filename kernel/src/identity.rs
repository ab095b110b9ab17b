//! Identity: who a token of an organization's own identity provider speaks of.
//!
//! The Kernel never authenticates anybody: no passwords, no sessions, no call to a provider. It
//! holds a token to what the administrator entered about the provider (its keys, its name, whom
//! its tokens are for), and maps what the token says to the organization's own words.
//!
//! Each organization brings its own providers. The same issuer entered by two organizations is two
//! providers with two sets of keys: a token is only ever held to those of the organization in whose
//! context it was shown.

mod claims;
mod entitlements;
mod keys;
mod provider;
mod token;

use std::collections::BTreeMap;

use farhold_contract::Code;

pub use entitlements::entitlements;
pub use provider::{Provider, ProviderError};
pub use token::{TOKEN_MAX_BYTES, Token};

/// Someone a provider vouched for, in the organization's own words.
///
/// There is no other way to one than [`Token::vouched_for_by`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// Its name at the provider: the token's `sub`.
    pub external_id: String,
    /// The organization's roles it maps to, in their order.
    pub roles: Vec<String>,
    /// What else the administrator asked to take from tokens.
    pub attributes: BTreeMap<String, String>,
}

/// Why a token vouches for nobody. Names no value of the token: it may end in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than tokens are.
    #[error("the token is longer than {TOKEN_MAX_BYTES} bytes")]
    TooLong,
    /// Not three parts of base64url, the first two one JSON object each.
    #[error("the token is not a signed JWT")]
    Malformed,
    /// Unsigned, signed with a shared secret, or in a way nobody here knows.
    #[error("the token is not signed by an algorithm that is accepted")]
    Algorithm,
    /// Its header asks for what nobody here knows.
    #[error("the token's header has critical members that are not understood")]
    Critical,
    /// A JWT for another purpose.
    #[error("the token is of a type that does not say who someone is")]
    Type,
    /// Its issuer is none of the organization's.
    #[error("the token's issuer is none of this tenant's identity providers")]
    ProviderUnknown,
    /// The provider has no such key.
    #[error("the provider has no key under the name that the token gives")]
    KeyUnknown,
    /// The key is not for this algorithm.
    #[error("the token's algorithm is not one for the key it names")]
    KeyMismatch,
    /// Changed, or signed by another key.
    #[error("the token's signature does not hold")]
    Signature,
    /// Absent, or of another kind.
    #[error("the token has no {claim} that can be read")]
    Claim {
        /// The claim.
        claim: &'static str,
    },
    /// For somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Over.
    #[error("the token has expired")]
    Expired,
    /// Not begun, or issued in the future.
    #[error("the token does not hold yet")]
    NotYet,
}

impl TokenError {
    /// The code of the closed list.
    pub const fn code(self) -> Code {
        match self {
            Self::ProviderUnknown => Code::IdentityProviderUnknown,
            _ => Code::IdentityTokenInvalid,
        }
    }
}
