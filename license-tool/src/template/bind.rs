//! Bind: to what of a machine the answer to its request binds a license.

use std::{fmt, str::FromStr};

use farhold_bundle::{
    Positive,
    payload::{Binding, FingerprintBinding, Request},
};
use farhold_contract::Code;

use crate::refusal::Refusal;

/// To what of a machine a license is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindTo {
    /// Its agent's key.
    Device,
    /// Its components, of which so many must hold; two thirds where nothing is said.
    Fingerprint(Option<Positive>),
}

/// The text is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be device, fingerprint, or fingerprint:K with how many components must hold")]
pub struct BindToError;

impl BindTo {
    /// The binding to the machine that asks.
    ///
    /// # Errors
    /// `usage.invalid` where its request shows fewer components than must hold.
    pub fn binding(self, request: &Request) -> Result<Binding, Refusal> {
        let require = match self {
            Self::Device => return Ok(Binding::DeviceKey(request.device_key.clone())),
            Self::Fingerprint(require) => require,
        };
        let components = request.fingerprint.clone();
        let there = components.len() as u64;
        // One of three may change, as disks and network cards do.
        let require = require.or_else(|| Positive::new(there - there / 3));
        match require.filter(|require| require.as_u64() <= there) {
            Some(require) => Ok(Binding::Fingerprint(FingerprintBinding { components, require })),
            None => Err(Refusal::new(
                Code::UsageInvalid,
                format!("the request shows {there} components of the machine: too few to bind to"),
            )
            .with_next("Give --bind device, or ask for fewer components.")),
        }
    }
}

impl FromStr for BindTo {
    type Err = BindToError;

    fn from_str(text: &str) -> Result<Self, BindToError> {
        match text.split_once(':') {
            None if text == "device" => Ok(Self::Device),
            None if text == "fingerprint" => Ok(Self::Fingerprint(None)),
            Some(("fingerprint", require)) => {
                let require = require.parse().ok().and_then(Positive::new).ok_or(BindToError)?;
                Ok(Self::Fingerprint(Some(require)))
            }
            _ => Err(BindToError),
        }
    }
}

impl fmt::Display for BindTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device => f.write_str("device"),
            Self::Fingerprint(None) => f.write_str("fingerprint"),
            Self::Fingerprint(Some(require)) => write!(f, "fingerprint:{require}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_bind_to_has_three_spellings() {
        for text in ["device", "fingerprint", "fingerprint:3"] {
            assert_eq!(text.parse::<BindTo>().unwrap().to_string(), text);
        }
        for text in ["", "none", "device:2", "fingerprint:", "fingerprint:0", "fingerprint:x"] {
            assert_eq!(text.parse::<BindTo>(), Err(BindToError), "{text}");
        }
    }
}
