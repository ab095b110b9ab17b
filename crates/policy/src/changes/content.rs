//! How two licenses differ: terms, entitlements and flags, old and new side by side.

use std::{collections::BTreeMap, sync::Arc};

use farhold_bundle::payload::{Entitlement, Flag, Ladder, License};
use farhold_contract::Timestamp;

use crate::{
    scope::{EntitlementLimits, Scope},
    standing_license::StandingLicense,
};

/// How one license differs from another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContentChange {
    /// Members of the license itself, by name.
    pub terms: Vec<TermChange>,
    /// Entitlements, by feature and scope.
    pub entitlements: Vec<EntitlementChange>,
    /// Flags, by name.
    pub flags: Vec<FlagChange>,
}

/// A member of a license that is otherwise; absent: the license does not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermChange {
    /// The member's name, as the document writes it.
    pub name: String,
    /// Its value before: a text as it is, everything else as JSON.
    pub before: Option<String>,
    /// Its value after.
    pub after: Option<String>,
}

/// An entitlement that is otherwise; absent: the license does not grant it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementChange {
    /// The feature.
    pub feature: Arc<str>,
    /// For whom.
    pub scope: Scope,
    /// Before.
    pub before: Option<EntitlementTerms>,
    /// After.
    pub after: Option<EntitlementTerms>,
}

/// What a license says of an entitlement: its own terms, not those it has from its license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementTerms {
    /// How much.
    pub limits: EntitlementLimits,
    /// Its own end; absent: its license's.
    pub valid_until: Option<Timestamp>,
    /// Its own ladder; absent: its license's.
    pub ladder: Option<Ladder>,
}

/// A flag that is otherwise; absent: the license does not set it.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagChange {
    /// Its name.
    pub key: String,
    /// Before.
    pub before: Option<Flag>,
    /// After.
    pub after: Option<Flag>,
}

impl ContentChange {
    /// How two licenses differ, whoever signed them; an absent one says nothing.
    pub fn between(before: Option<&License>, after: Option<&License>) -> Self {
        Self {
            terms: terms(before, after),
            entitlements: entitlements(before, after),
            flags: flags(before, after),
        }
    }

    /// The same of licenses that stand.
    pub(super) fn of(before: Option<&StandingLicense>, after: Option<&StandingLicense>) -> Self {
        Self::between(before.map(signed), after.map(signed))
    }

    /// Whether they don't differ.
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.entitlements.is_empty() && self.flags.is_empty()
    }
}

fn signed(license: &StandingLicense) -> &License {
    &license.document
}

/// What two sides hold under the same keys, where it differs.
fn differing<K: Ord, V: PartialEq>(
    before: BTreeMap<K, V>,
    mut after: BTreeMap<K, V>,
) -> BTreeMap<K, (Option<V>, Option<V>)> {
    let mut found = BTreeMap::new();
    for (key, old) in before {
        let new = after.remove(&key);
        if new.as_ref() != Some(&old) {
            found.insert(key, (Some(old), new));
        }
    }
    found.extend(after.into_iter().map(|(key, new)| (key, (None, Some(new)))));
    found
}

fn terms(before: Option<&License>, after: Option<&License>) -> Vec<TermChange> {
    let differing = differing(members(before), members(after));
    let differing = differing.into_iter();
    differing.map(|(name, (before, after))| TermChange { name, before, after }).collect()
}

/// The members as the document writes them, so that none that a later version adds is missed.
fn members(license: Option<&License>) -> BTreeMap<String, String> {
    let Some(license) = license else { return BTreeMap::new() };
    let Ok(serde_json::Value::Object(members)) = serde_json::to_value(head_of(license)) else {
        return BTreeMap::new();
    };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let own = members.into_iter().filter(|(name, _)| name != "entitlements" && name != "flags");
    own.map(|(name, value)| (name, text(value))).collect()
}

/// The license without its entitlements and flags; member by member, so that none is forgotten and
/// ten thousand entitlements are not copied first.
fn head_of(license: &License) -> License {
    License {
        license_id: license.license_id,
        serial: license.serial,
        issuer: license.issuer,
        product: license.product.clone(),
        issued_to: license.issued_to.clone(),
        tenant: license.tenant.clone(),
        issued_at: license.issued_at,
        not_before: license.not_before,
        expires_on: license.expires_on,
        time_zone: license.time_zone.clone(),
        modes: license.modes.clone(),
        sites: license.sites,
        needs: license.needs,
        versions: license.versions.clone(),
        released_before: license.released_before,
        binding: license.binding.clone(),
        ladder: license.ladder.clone(),
        entitlements: Vec::new(),
        flags: Vec::new(),
        identity: license.identity.clone(),
        audit: license.audit.clone(),
        telemetry: license.telemetry,
        metadata: license.metadata.clone(),
        critical: license.critical.clone(),
    }
}

/// Compared without copies: of ten thousand entitlements few differ.
fn entitlements(before: Option<&License>, after: Option<&License>) -> Vec<EntitlementChange> {
    let differing = differing(granted(before), granted(after)).into_iter();
    differing
        .map(|((feature, scope), (before, after))| EntitlementChange {
            feature: feature.into(),
            scope,
            before: before.map(EntitlementTerms::from),
            after: after.map(EntitlementTerms::from),
        })
        .collect()
}

fn granted(license: Option<&License>) -> BTreeMap<(&str, Scope), &Entitlement> {
    let all = license.into_iter().flat_map(|license| &license.entitlements);
    all.map(|own| ((own.feature.as_str(), Scope::of(own)), own)).collect()
}

impl From<&Entitlement> for EntitlementTerms {
    fn from(entitlement: &Entitlement) -> Self {
        Self {
            limits: EntitlementLimits::from(entitlement),
            valid_until: entitlement.valid_until,
            ladder: entitlement.ladder.clone(),
        }
    }
}

fn flags(before: Option<&License>, after: Option<&License>) -> Vec<FlagChange> {
    let differing = differing(set(before), set(after)).into_iter();
    differing
        .map(|(key, (before, after))| FlagChange {
            key: key.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect()
}

fn set(license: Option<&License>) -> BTreeMap<&str, &Flag> {
    let all = license.into_iter().flat_map(|license| &license.flags);
    all.map(|flag| (flag.key.as_str(), flag)).collect()
}
