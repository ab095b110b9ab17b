//! Identifiers: every one is a UUIDv7 (contract v0.1), and no two kinds can be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::{Uuid, Variant};

/// Why a text is not an identifier of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a UUID in its canonical, hyphenated, lower-case form.
    #[error("not a UUID in canonical form")]
    Malformed,
    /// The UUID is of another version. Random ids would also cost every index dearly.
    #[error("not a UUIDv7 (its version is {0})")]
    NotVersion7(usize),
}

fn parse(text: &str) -> Result<Uuid, IdError> {
    let id = Uuid::try_parse(text).map_err(|_| IdError::Malformed)?;
    if text.len() != 36 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(IdError::Malformed);
    }
    checked(id)
}

fn checked(id: Uuid) -> Result<Uuid, IdError> {
    match (id.get_variant(), id.get_version_num()) {
        (Variant::RFC4122, 7) => Ok(id),
        (Variant::RFC4122, other) => Err(IdError::NotVersion7(other)),
        _ => Err(IdError::Malformed),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes a UUID over as this kind of identifier.
            ///
            /// # Errors
            /// [`IdError::NotVersion7`] for any other version.
            pub fn from_uuid(id: Uuid) -> Result<Self, IdError> {
                checked(id).map(Self)
            }

            /// Reads the 16 raw bytes in which stores and the chain carry an identifier.
            ///
            /// # Errors
            /// [`IdError::NotVersion7`] for any other version.
            pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, IdError> {
                Self::from_uuid(Uuid::from_bytes(bytes))
            }

            /// The identifier as 16 raw bytes, big-endian.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(IdVisitor).map(Self)
            }
        }
    )*};
}

ids! {
    /// An organization. A person is an organization of one.
    TenantId;
    /// An executable unit of a product, or an agent, at a site.
    RuntimeId;
    /// Someone an identity provider vouched for.
    IdentityId;
    /// One audit event.
    EventId;
    /// One license: the contract between vendor and tenant, across its serials.
    LicenseId;
    /// One answer to an entitlement check.
    DecisionId;
    /// Who issues: one vendor's trust root.
    IssuerId;
    /// One runtime token, by which it can be listed and revoked; never the token itself.
    TokenId;
}

struct IdVisitor;

impl de::Visitor<'_> for IdVisitor {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUIDv7")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Uuid, E> {
        parse(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_version_7_is_an_id() {
        let good = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
        assert_eq!(good.parse::<TenantId>().unwrap().to_string(), good);
        assert_eq!(good.to_uppercase().parse::<TenantId>(), Err(IdError::Malformed));
        assert_eq!(good.replace('-', "").parse::<TenantId>(), Err(IdError::Malformed));
        let random = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
        assert_eq!(random.parse::<EventId>(), Err(IdError::NotVersion7(4)));
        assert!(serde_json::from_str::<EventId>(&format!("\"{random}\"")).is_err());
    }
}
