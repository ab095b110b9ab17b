//! Request: what an agent asks for, carried by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{LicenseId, TenantId},
};

use super::{DocumentType, Payload, check_components, check_hex, check_name};
use crate::{
    error::PayloadError,
    key::PublicKey,
    limits::LIMITS,
    number::{Positive, Whole},
};

/// What an agent is, has and has used (`bundle.md` §7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The agent's key.
    pub device_key: PublicKey,
    /// Each component's name and the first 8 bytes of its salted hash, as lower-case hex.
    pub fingerprint: BTreeMap<String, String>,
    /// The salt: 16 bytes as lower-case hex.
    pub salt: String,
    /// The organization of the site.
    pub tenant_id: TenantId,
    /// 16 bytes as lower-case hex; an answer that repairs the clock must repeat it.
    pub nonce: String,
    /// The trust root in force, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<RootRef>,
    /// The licenses in force.
    pub licenses: Vec<LicenseRef>,
    /// What has been used of what is counted.
    pub usage: Vec<UsageReport>,
    /// The system clock.
    pub wall: Timestamp,
    /// The agent's own time.
    pub mark: Timestamp,
    /// A license this host gives up with this request, so that it can be bound to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<LicenseId>,
    /// Those of the components that can't be read now, each with since when, by the agent's own
    /// time: their hashes are those read last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remembered: BTreeMap<String, Timestamp>,
}

/// Which root a site stands at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRef {
    /// Its version.
    pub version: Positive,
    /// SHA-256 of its payload: sites on other roots are seen.
    pub sha256: Sha256Digest,
}

/// Which license a site holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseRef {
    /// The license.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: Positive,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
}

/// What has been used of one feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// The license.
    pub license_id: LicenseId,
    /// The feature.
    pub feature: String,
    /// Units used, in the open window or in the license's life.
    pub used: Whole,
}

impl Payload for Request {
    const TYPE: DocumentType = DocumentType::Request;

    fn check(&self) -> Result<(), PayloadError> {
        check_hex("salt", &self.salt, 16)?;
        check_hex("nonce", &self.nonce, 16)?;
        check_components("fingerprint", &self.fingerprint)?;
        // With that its names are held to the rule of names, and to as many.
        if !self.remembered.keys().all(|name| self.fingerprint.contains_key(name)) {
            return Err(PayloadError::invalid(
                "remembered",
                "names a component that the fingerprint does not have",
            ));
        }
        if self.licenses.len() > LIMITS.request_licenses {
            return Err(PayloadError::invalid("licenses", "lists more than 1,024 licenses"));
        }
        if self.usage.len() > LIMITS.request_usage {
            return Err(PayloadError::invalid("usage", "lists more than 10,000 features"));
        }
        let mut licenses = BTreeSet::new();
        if !self.licenses.iter().all(|license| licenses.insert(license.license_id)) {
            return Err(PayloadError::invalid("licenses", "lists a license twice"));
        }
        self.usage.iter().try_for_each(|usage| check_name("usage.feature", &usage.feature))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// As sites made them before there was more to say.
    fn plain() -> Value {
        json!({
            "device_key": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "fingerprint": {"machine_id": "0011223344556677"},
            "salt": "5a".repeat(16),
            "tenant_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f",
            "nonce": "5a".repeat(16),
            "licenses": [],
            "usage": [],
            "wall": "2027-06-01T12:00:00Z",
            "mark": "2027-06-01T12:00:00Z",
        })
    }

    #[test]
    fn a_request_without_anything_remembered_is_as_it_was() {
        let request: Request = serde_json::from_value(plain()).unwrap();
        request.check().unwrap();
        assert_eq!(serde_json::to_value(&request).unwrap(), plain());
    }

    #[test]
    fn what_is_remembered_is_part_of_the_fingerprint() {
        let remembering = |name: &str| {
            let mut content = plain();
            content["remembered"] = json!({name: "2027-05-01T00:00:00Z"});
            serde_json::from_value::<Request>(content).unwrap().check()
        };
        remembering("machine_id").unwrap();
        let refused = remembering("disk.root");
        assert!(matches!(refused, Err(PayloadError::Invalid { member: "remembered", .. })));
    }

    /// The member that a request is refused for.
    fn refused(content: Value) -> Option<&'static str> {
        match serde_json::from_value::<Request>(content).unwrap().check() {
            Ok(()) => None,
            Err(PayloadError::Invalid { member, .. }) => Some(member),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_remembered_name_is_held_to_the_rule_of_names() {
        for name in ["", "nic.eth 0", "nic.\u{202e}0", &"n".repeat(60_000)] {
            let mut content = plain();
            content["fingerprint"] = json!({name: "0011223344556677"});
            content["remembered"] = json!({name: "2027-05-01T00:00:00Z"});
            assert_eq!(refused(content), Some("fingerprint"), "{name:.20}");
            let mut content = plain();
            content["remembered"] = json!({name: "2027-05-01T00:00:00Z"});
            assert_eq!(refused(content), Some("remembered"), "{name:.20}");
        }
    }

    #[test]
    fn a_request_names_no_more_than_a_site_has() {
        let components = |count: usize| -> BTreeMap<String, String> {
            (0..count).map(|card| (format!("nic.e{card}"), format!("{card:016x}"))).collect()
        };
        let id = |number: usize| format!("01939b6e-3c5f-7a31-8b53-0f6f{number:08x}");
        let licenses = |count: usize| -> Vec<Value> {
            let license =
                |number| json!({"license_id": id(number), "serial": 1, "sha256": "00".repeat(32)});
            (0..count).map(license).collect()
        };
        let usage = |count: usize| -> Vec<Value> {
            let used =
                |number| json!({"license_id": id(1), "feature": format!("f.{number}"), "used": 1});
            (0..count).map(used).collect()
        };
        for (member, most, more) in [
            ("fingerprint", json!(components(64)), json!(components(65))),
            ("licenses", json!(licenses(1024)), json!(licenses(1025))),
            ("usage", json!(usage(10_000)), json!(usage(10_001))),
        ] {
            let with = |value: Value| {
                let mut content = plain();
                content[member] = value;
                content
            };
            assert_eq!(refused(with(most)), None, "{member}");
            assert_eq!(refused(with(more)), Some(member));
        }
    }
}
