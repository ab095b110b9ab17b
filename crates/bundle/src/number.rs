//! Whole numbers that every JSON reader agrees on: at most 2^53 − 1.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// The largest number of the format, 2^53 − 1: beyond it, readers that use doubles disagree.
pub(crate) const MAX: u64 = (1 << 53) - 1;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident from $least:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The largest.
            pub const MAX: Self = Self(MAX);
            /// The smallest.
            pub const MIN: Self = Self($least);

            /// Takes a number over if it lies in the range.
            pub const fn new(number: u64) -> Option<Self> {
                match u64::checked_sub(number, $least) {
                    Some(_) if number <= MAX => Some(Self(number)),
                    _ => None,
                }
            }

            /// The number.
            pub const fn as_u64(self) -> u64 {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = u64::deserialize(deserializer)?;
                Self::new(number).ok_or_else(|| {
                    de::Error::custom(concat!("not between ", $least, " and 9007199254740991"))
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbers! {
    /// 1 … 2^53 − 1: versions, serials, generations, quotas.
    Positive from 1;
    /// 0 … 2^53 − 1: counts of what happened.
    Whole from 0;
}

impl Default for Whole {
    fn default() -> Self {
        Self::MIN
    }
}
