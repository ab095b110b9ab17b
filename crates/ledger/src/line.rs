//! Line: an entry as bytes, in its one spelling.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use farhold_bundle::{KeyId, Positive, Whole, payload::FingerprintBinding};
use farhold_contract::{
    Date, Sha256Digest, Timestamp,
    id::{IssuerId, LicenseId, TenantId},
};

use crate::{
    act::{Act, Kind, Release},
    bound::{Bound, DeviceKey},
    broken::Broken,
    entry::{Entry, Head},
    issue::Issue,
};

/// What an entry's hash begins with (`specs/ledger.md` §2.1).
const DOMAIN: &[u8] = b"farhold.ledger.v1\0";
/// What stands before the hash, which ends the line.
const BEFORE_HASH: &[u8] = br#","hash":""#;
const AFTER_HASH: &[u8] = br#""}"#;
const HASH_DIGITS: usize = 64;

/// Writes the entry that follows `head`: the line with its line feed, and its hash.
pub(crate) fn write(head: Head, at: Timestamp, act: &Act) -> (Vec<u8>, Sha256Digest) {
    let mut line = Vec::with_capacity(1024);
    serde_json::to_writer(&mut line, &Members::of(head, at, act))
        .expect("names, numbers and texts can always be written");
    line.pop(); // the brace that closes it comes after the hash
    let hash = hash_of(&line);
    line.extend_from_slice(BEFORE_HASH);
    line.extend_from_slice(hash.to_string().as_bytes());
    line.extend_from_slice(AFTER_HASH);
    line.push(b'\n');
    (line, hash)
}

/// Reads a line without its line feed; `number` is what a refusal calls it.
pub(crate) fn read(content: &[u8], number: u64) -> Result<Entry, Broken> {
    let malformed = |why: String| Broken::Malformed { line: number, why };
    let (body, hash) =
        split_hash(content).ok_or_else(|| malformed("it does not end with its hash".to_owned()))?;
    if hash_of(body) != hash {
        return Err(Broken::Changed { line: number });
    }
    let members: Members<'_> =
        serde_json::from_slice(content).map_err(|error| malformed(error.to_string()))?;
    let (seq, prev, at) = (members.seq, members.prev, members.at);
    let act = members.act().map_err(|member| malformed(format!("{member} is missing")))?;
    Ok(Entry { seq, prev, at, act, hash })
}

/// Whether bytes end as an entry ends, with its hash: no piece of one does.
pub(crate) fn is_whole(content: &[u8]) -> bool {
    split_hash(content).is_some()
}

fn hash_of(body: &[u8]) -> Sha256Digest {
    let hash = Sha256::new().chain_update(DOMAIN).chain_update(body).finalize();
    Sha256Digest::new(hash.into())
}

fn split_hash(content: &[u8]) -> Option<(&[u8], Sha256Digest)> {
    let body_and_hash = content.strip_suffix(AFTER_HASH)?;
    let (before, hash) =
        body_and_hash.split_at_checked(body_and_hash.len().checked_sub(HASH_DIGITS)?)?;
    let hash = std::str::from_utf8(hash).ok()?.parse().ok()?;
    Some((before.strip_suffix(BEFORE_HASH)?, hash))
}

/// The members of a line, in their order. Those of a later version are ignored.
#[derive(Serialize, Deserialize)]
struct Members<'a> {
    seq: u64,
    prev: Sha256Digest,
    at: Timestamp,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<IssuerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    license_id: Option<LicenseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serial: Option<Positive>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<Positive>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant_id: Option<TenantId>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    product: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    issued_to: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stops_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binding: Option<BindingWord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_key: Option<DeviceKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<Cow<'a, FingerprintBinding>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<Cow<'a, [KeyId]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rehosts_per_year: Option<Whole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Sha256Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BindingWord {
    None,
    Device,
    Fingerprint,
}

impl<'a> Members<'a> {
    fn of(head: Head, at: Timestamp, act: &'a Act) -> Self {
        let mut members = Self::empty(head.seq + 1, head.hash, at, act.kind());
        match act {
            Act::Begun { issuer } => members.issuer = Some(*issuer),
            Act::Issued(issue)
            | Act::Rehosted(issue)
            | Act::BreakGlass(issue)
            | Act::Entered(issue) => members.put_issue(issue),
            Act::Released(release) => {
                members.license_id = Some(release.license_id);
                members.serial = release.serial;
                members.device_key = Some(release.device_key);
                members.request = Some(release.request);
            }
        }
        members
    }

    const fn empty(seq: u64, prev: Sha256Digest, at: Timestamp, kind: Kind) -> Self {
        Self {
            seq,
            prev,
            at,
            kind,
            issuer: None,
            license_id: None,
            serial: None,
            replaces: None,
            tenant_id: None,
            product: None,
            issued_to: None,
            issued_at: None,
            not_before: None,
            expires_on: None,
            stops_at: None,
            binding: None,
            device_key: None,
            fingerprint: None,
            sha256: None,
            keys: None,
            rehosts_per_year: None,
            request: None,
            reason: None,
        }
    }

    fn put_issue(&mut self, issue: &'a Issue) {
        self.license_id = Some(issue.license_id);
        self.serial = Some(issue.serial);
        self.replaces = issue.replaces;
        self.tenant_id = Some(issue.tenant_id);
        self.product = Some(Cow::Borrowed(&issue.product));
        self.issued_to = Some(Cow::Borrowed(&issue.issued_to));
        self.issued_at = Some(issue.issued_at);
        self.not_before = Some(issue.not_before).filter(|begins| *begins != issue.issued_at);
        self.expires_on = issue.expires_on;
        self.stops_at = issue.stops_at;
        self.binding = issue.bound.as_ref().map(|bound| match bound {
            Bound::Unbound => BindingWord::None,
            Bound::Device(_) => BindingWord::Device,
            Bound::Fingerprint { .. } => BindingWord::Fingerprint,
        });
        self.device_key = issue.bound.as_ref().and_then(Bound::device_key);
        if let Some(Bound::Fingerprint { binding, .. }) = &issue.bound {
            self.fingerprint = Some(Cow::Borrowed(binding));
        }
        self.sha256 = Some(issue.sha256);
        self.keys = Some(Cow::Borrowed(&issue.keys));
        self.rehosts_per_year = issue.rehosts_per_year;
        self.reason = issue.reason.as_deref().map(Cow::Borrowed);
    }

    /// The act, or the member that it lacks.
    fn act(self) -> Result<Act, &'static str> {
        Ok(match self.kind {
            Kind::Begun => Act::Begun { issuer: self.issuer.ok_or("issuer")? },
            Kind::Issued => Act::Issued(self.issue()?),
            Kind::Rehosted => Act::Rehosted(self.issue()?),
            Kind::BreakGlass => Act::BreakGlass(self.issue()?),
            Kind::Entered => Act::Entered(self.issue()?),
            Kind::Released => Act::Released(Release {
                license_id: self.license_id.ok_or("license_id")?,
                serial: self.serial,
                device_key: self.device_key.ok_or("device_key")?,
                request: self.request.ok_or("request")?,
            }),
        })
    }

    fn issue(self) -> Result<Issue, &'static str> {
        let bound = match self.binding {
            None => None,
            Some(BindingWord::None) => Some(Bound::Unbound),
            Some(BindingWord::Device) => Some(Bound::Device(self.device_key.ok_or("device_key")?)),
            Some(BindingWord::Fingerprint) => Some(Bound::Fingerprint {
                binding: self.fingerprint.ok_or("fingerprint")?.into_owned(),
                device_key: self.device_key,
            }),
        };
        let issued_at = self.issued_at.ok_or("issued_at")?;
        Ok(Issue {
            license_id: self.license_id.ok_or("license_id")?,
            serial: self.serial.ok_or("serial")?,
            replaces: self.replaces,
            tenant_id: self.tenant_id.ok_or("tenant_id")?,
            product: self.product.ok_or("product")?.into_owned(),
            issued_to: self.issued_to.ok_or("issued_to")?.into_owned(),
            issued_at,
            not_before: self.not_before.unwrap_or(issued_at),
            expires_on: self.expires_on,
            stops_at: self.stops_at,
            bound,
            sha256: self.sha256.ok_or("sha256")?,
            keys: self.keys.ok_or("keys")?.into_owned(),
            rehosts_per_year: self.rehosts_per_year,
            reason: self.reason.map(Cow::into_owned),
        })
    }
}
