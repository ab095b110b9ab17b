//! One vector, as its file states it.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use farhold_bundle::{Positive, PublicKey, SiteFacts, payload::SiteMode};
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{LicenseId, TenantId},
};

/// Bytes, where they arrive, and what must come of them.
///
/// A member that is not known refuses the file: a vector that is not understood has not been
/// passed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// The claim, in one sentence.
    pub title: String,
    /// The step of the format that it tests.
    pub spec: String,
    /// What is done with the input.
    pub kind: Kind,
    /// The time at which it is done; every import has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// The lines that stand before an import, or stood at a clock reset, the first root first, as
    /// `current.bundle` has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<String>,
    /// The site of an import; absent: the checks that concern one site are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Site>,
    /// The hash that was carried apart from a first root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The key whose export it must be; absent: the export's own word is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_key: Option<PublicKey>,
    /// The time of the last clock reset: what stood then and is dated later dates no floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated_by: Option<Timestamp>,
    /// The raw bytes of a public key, in hex; they may be no key at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// A signature in hex, of whatever length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The salt of a fingerprint: 16 bytes in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The name of a component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The bytes.
    pub input: Input,
    /// What must come of them.
    pub expect: Expect,
}

/// What is done with the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A bundle, or a document in typed form, is planned against what stands.
    Import,
    /// A line is installed as the first root.
    Install,
    /// A text is read back into its line.
    TypedForm,
    /// An audit export is verified to its end.
    Export,
    /// A signature over bare bytes is verified by a bare key.
    Signature,
    /// The value of a machine's component is hashed.
    Component,
    /// The floor of time is computed from lines that stand.
    Floor,
}

/// What a site is, as far as an import asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// How it is linked to the Kernel.
    pub mode: SiteMode,
    /// The organizations it serves.
    pub tenants: BTreeSet<TenantId>,
    /// The agent's key.
    pub device_key: PublicKey,
    /// Each component that can be read, with its salted hash.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fingerprint: BTreeMap<String, String>,
    /// The nonce of the one open request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_nonce: Option<String>,
    /// Licenses given up there, each with the last serial that was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub released: BTreeMap<LicenseId, Positive>,
}

/// The bytes of a vector.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Input {
    /// Text in UTF-8.
    Text {
        /// The text.
        text: String,
    },
    /// Bytes that are not text, or of which each must be seen.
    Base64 {
        /// The bytes.
        base64: String,
    },
    /// What is too large to be written down.
    Repeat {
        /// A text.
        repeat: String,
        /// How often it stands.
        times: usize,
        /// What follows once.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        then: String,
    },
}

/// What must come of the bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Expect {
    /// They are taken.
    Taken {
        /// What they amount to; its members are the kind's.
        ok: Value,
    },
    /// They are refused.
    Refused {
        /// The code, which is the only right answer.
        code: Code,
        /// The line that is the reason, from 1, where one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<usize>,
    },
}

impl Vector {
    /// The bytes of its file.
    pub fn to_file(&self) -> Vec<u8> {
        let mut text =
            serde_json::to_vec_pretty(self).expect("a vector has no map with keys but text");
        text.push(b'\n');
        text
    }

    /// The bytes of its input.
    ///
    /// # Errors
    /// If they are not the base64 that they should be.
    pub fn input(&self) -> Result<Vec<u8>, base64::DecodeError> {
        match &self.input {
            Input::Text { text } => Ok(text.clone().into_bytes()),
            Input::Base64 { base64 } => STANDARD.decode(base64),
            Input::Repeat { repeat, times, then } => {
                Ok((repeat.repeat(*times) + then).into_bytes())
            }
        }
    }
}

impl Input {
    /// Bytes as text where every one of them can be seen in it.
    pub fn of(bytes: &[u8]) -> Self {
        let seen = |&byte: &u8| byte == b'\n' || byte == b' ' || byte.is_ascii_graphic();
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.iter().all(seen) => Self::Text { text: text.to_owned() },
            _ => Self::Base64 { base64: STANDARD.encode(bytes) },
        }
    }
}

impl Site {
    /// The site as the library takes it.
    pub fn facts(&self) -> SiteFacts {
        SiteFacts {
            mode: self.mode,
            tenants: self.tenants.clone(),
            device_key: self.device_key.clone(),
            fingerprint: self.fingerprint.clone(),
            open_nonce: self.open_nonce.clone(),
            released: self.released.clone(),
        }
    }
}
