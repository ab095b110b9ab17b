//! License: what an organization may use of a product, until when, and what follows.

mod binding;
mod entitlement;
mod flag;
mod rules;

use std::collections::BTreeSet;

use semver::VersionReq;
use serde::{Deserialize, Serialize};

use farhold_contract::{
    Date, Timestamp,
    id::{IssuerId, LicenseId},
    model::Tenant,
};

use super::{DocumentType, Payload, check_name, check_text};
use crate::{critical::Critical, error::PayloadError, number::Positive, number::Whole};

pub use binding::{Binding, FingerprintBinding};
pub use entitlement::{Entitlement, Ladder, LicenseLimits};
pub use flag::{Flag, FlagValue};
pub use rules::{AuditRules, DecisionRecord, SiteMode, Telemetry, WhenFull};

/// A license in one serial (`bundle.md` §4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct License {
    /// The contract: the same across serials.
    pub license_id: LicenseId,
    /// The revision. Line = tenant and product; in a line, the highest that has begun is in force.
    pub serial: Positive,
    /// Who issued it.
    pub issuer: IssuerId,
    /// The product.
    pub product: String,
    /// Whom it was issued to, for people.
    pub issued_to: String,
    /// The organization. Its `status` is ignored: only the Kernel suspends.
    pub tenant: Tenant,
    /// When it was issued; raises the floor of the agent's time.
    pub issued_at: Timestamp,
    /// When it begins.
    pub not_before: Timestamp,
    /// The last day it holds, to its end in `time_zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    /// An IANA zone; absent: UTC−12, where a day ends last. Calendar windows turn in it, else in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Which modes of operation it allows.
    #[serde(default = "managed_only")]
    pub modes: BTreeSet<SiteMode>,
    /// At how many sites; watched by the Kernel, never cut.
    #[serde(default = "one")]
    pub sites: Positive,
    /// What the site must have for it to be taken.
    #[serde(default)]
    pub needs: Needs,
    /// Which versions of the product it covers; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<VersionReq>,
    /// Covers, without end, a runtime that was released before this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_before: Option<Date>,
    /// Which machine it is for; required when it allows detached sites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// What follows its end.
    #[serde(default)]
    pub ladder: Ladder,
    /// What may be used.
    pub entitlements: Vec<Entitlement>,
    /// Switches of the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Identity providers of the organization; read by a later version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<serde_json::Value>,
    /// What must be kept of its use.
    #[serde(default)]
    pub audit: AuditRules,
    /// What the site may report.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// The vendor's own notes; carried, never read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
    /// What a reader must know to take the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<Critical>,
}

/// What a site must have for a license to be taken: nobody un-`cat`s a revocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// The least version of the root.
    #[serde(default)]
    pub root: Whole,
    /// The least generation of the revocations; 0: none needed.
    #[serde(default)]
    pub revocations: Whole,
}

/// Names that a database of zones knows and that say of no place when a day ends there.
const NO_ZONES: [&str; 2] = ["Factory", "Etc/Unknown"];

fn managed_only() -> BTreeSet<SiteMode> {
    BTreeSet::from([SiteMode::Managed])
}

fn one() -> Positive {
    Positive::MIN
}

impl License {
    /// The zone in which its days end: its own, or UTC−12.
    pub fn end_zone(&self) -> jiff::tz::TimeZone {
        self.zone().unwrap_or_else(|| jiff::tz::TimeZone::fixed(jiff::tz::offset(-12)))
    }

    /// The zone in which its calendar windows turn: its own, or UTC.
    pub fn window_zone(&self) -> jiff::tz::TimeZone {
        self.zone().unwrap_or(jiff::tz::TimeZone::UTC)
    }

    fn zone(&self) -> Option<jiff::tz::TimeZone> {
        let name = self.time_zone.as_deref()?;
        if NO_ZONES.iter().any(|no_zone| name.eq_ignore_ascii_case(no_zone)) {
            return None;
        }
        jiff::tz::TimeZoneDatabase::bundled().get(name).ok()
    }

    /// The end of its last day; absent when it has none.
    pub fn end(&self) -> Option<Timestamp> {
        let last = self.expires_on?.civil();
        // The first instant of the next day: a day with a clock change still ends where it ends.
        let next = last.tomorrow().ok().and_then(|day| day.to_zoned(self.end_zone()).ok());
        Some(next.map_or(Timestamp::MAX, |midnight| midnight.timestamp().into()))
    }

    /// The instant after the last rung of its ladder (`bundle.md` §4.4); absent when it has no end.
    pub fn stop(&self) -> Option<Timestamp> {
        Some(self.ladder.stop(self.end()?, &self.end_zone()))
    }
}

impl Payload for License {
    const TYPE: DocumentType = DocumentType::License;

    fn check(&self) -> Result<(), PayloadError> {
        check_name("product", &self.product)?;
        check_text("issued_to", &self.issued_to)?;
        if self.time_zone.is_some() && self.zone().is_none() {
            return Err(PayloadError::invalid("time_zone", "is not a zone of the IANA database"));
        }
        let end = self.end();
        if end.is_none() && self.released_before.is_none() {
            return Err(PayloadError::invalid(
                "expires_on",
                "may be absent only with released_before",
            ));
        }
        if end.is_some_and(|end| end <= self.not_before) {
            return Err(PayloadError::invalid("expires_on", "must be after not_before"));
        }
        if self.modes.is_empty() {
            return Err(PayloadError::invalid("modes", "must name managed, detached or both"));
        }
        match &self.binding {
            None if self.modes.contains(&SiteMode::Detached) => {
                return Err(PayloadError::invalid(
                    "binding",
                    "is required when modes contain detached; \"none\" says unbound",
                ));
            }
            Some(binding) => binding.check()?,
            None => {}
        }
        self.ladder.check(end.is_some())?;
        self.audit.check()?;
        let mut scopes = BTreeSet::new();
        for entitlement in &self.entitlements {
            entitlement.check(end)?;
            if !scopes.insert(entitlement.scope()) {
                return Err(PayloadError::invalid(
                    "entitlements",
                    "grants a feature twice to one type or runtime",
                ));
            }
        }
        let mut flags = BTreeSet::new();
        for flag in &self.flags {
            flag.check()?;
            if !flags.insert(flag.key.as_str()) {
                return Err(PayloadError::invalid("flags", "sets a key twice"));
            }
        }
        Ok(())
    }
}
