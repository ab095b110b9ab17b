//! Schema: which keys a template has, and what reads each value.

use std::collections::{BTreeMap, BTreeSet};

use semver::VersionReq;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use farhold_bundle::{
    Period, Positive, PublicKey, Whole,
    payload::{DecisionRecord, FlagValue, SiteMode, Telemetry, WhenFull},
};
use farhold_contract::{
    Date, Timestamp,
    id::{LicenseId, RuntimeId, TenantId},
    model::{RuntimeType, SecurityLevel, TenantStatus, TenantType},
};

use super::bind::BindTo;

/// What stands at a key.
pub(super) enum Shape {
    /// One value, read by the license's own reader.
    Value(fn(&Value) -> Result<(), String>),
    /// A table of these keys.
    Table(&'static [Key]),
    /// Several tables of these keys.
    Tables(&'static [Key]),
    /// A table of these keys, or a word that the reader takes.
    WordOrTable(fn(&Value) -> Result<(), String>, &'static [Key]),
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) presence: Presence,
}

/// Whether a table must have a key.
#[derive(PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

const fn required(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, presence: Presence::Required }
}

const fn optional(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, presence: Presence::Optional }
}

const fn value<T: DeserializeOwned>() -> Shape {
    Shape::Value(reads::<T>)
}

fn reads<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    serde_json::from_value::<T>(value.clone()).map(drop).map_err(|error| error.to_string())
}

fn is_none(value: &Value) -> Result<(), String> {
    match value.as_str() {
        Some("none") => Ok(()),
        _ => Err("must be \"none\", or a table with device_key or fingerprint".to_owned()),
    }
}

fn is_bind(value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or("must be a text")?;
    text.parse::<BindTo>().map(drop).map_err(|error| error.to_string())
}

/// A license without what the tool knows itself, and what only the tool reads.
pub(super) static LICENSE: &[Key] = &[
    optional("license_id", value::<LicenseId>()),
    required("product", value::<String>()),
    required("issued_to", value::<String>()),
    required("tenant", Shape::Table(TENANT)),
    optional("not_before", value::<Timestamp>()),
    optional("expires_on", value::<Date>()),
    optional("time_zone", value::<String>()),
    optional("modes", value::<BTreeSet<SiteMode>>()),
    optional("sites", value::<Positive>()),
    optional("needs", Shape::Table(NEEDS)),
    optional("versions", value::<VersionReq>()),
    optional("released_before", value::<Date>()),
    optional("binding", Shape::WordOrTable(is_none, BINDING)),
    optional("ladder", Shape::Table(LADDER)),
    required("entitlements", Shape::Tables(ENTITLEMENT)),
    optional("flags", Shape::Tables(FLAG)),
    optional("identity", value::<Value>()),
    optional("audit", Shape::Table(AUDIT)),
    optional("telemetry", value::<Telemetry>()),
    optional("metadata", value::<Map<String, Value>>()),
    optional("critical", Shape::Tables(CRITICAL)),
    optional(BIND, Shape::Value(is_bind)),
    optional(REHOSTS_PER_YEAR, value::<Whole>()),
];

/// To what `answer` binds. No member of a license: the tool reads it.
pub(super) const BIND: &str = "bind";
/// How often in a year the license may be moved. No member of a license either.
pub(super) const REHOSTS_PER_YEAR: &str = "rehosts_per_year";

static TENANT: &[Key] = &[
    required("tenant_id", value::<TenantId>()),
    required("type", value::<TenantType>()),
    optional("status", value::<TenantStatus>()),
    optional("policies", Shape::Table(POLICIES)),
];

static POLICIES: &[Key] = &[
    optional("security_level", value::<SecurityLevel>()),
    optional("data_residency", value::<String>()),
];

static NEEDS: &[Key] =
    &[optional("root", value::<Whole>()), optional("revocations", value::<Whole>())];

static BINDING: &[Key] = &[
    optional("device_key", value::<PublicKey>()),
    optional("fingerprint", Shape::Table(FINGERPRINT)),
];

static FINGERPRINT: &[Key] = &[
    required("components", value::<BTreeMap<String, String>>()),
    required("require", value::<Positive>()),
];

static LADDER: &[Key] = &[
    optional("warn", value::<Period>()),
    optional("grace", value::<Period>()),
    optional("restrict", value::<Period>()),
];

static ENTITLEMENT: &[Key] = &[
    required("feature", value::<String>()),
    optional("runtime_type", value::<RuntimeType>()),
    optional("runtime_id", value::<RuntimeId>()),
    optional("limits", Shape::Table(LIMITS)),
    optional("valid_until", value::<Timestamp>()),
    optional("ladder", Shape::Table(LADDER)),
];

static LIMITS: &[Key] = &[
    optional("quota", value::<Positive>()),
    optional("time_window", value::<Period>()),
    optional("concurrency", value::<Positive>()),
    optional("overage", value::<Positive>()),
];

static FLAG: &[Key] = &[
    required("key", value::<String>()),
    required("value", value::<FlagValue>()),
    optional("versions", value::<VersionReq>()),
];

static AUDIT: &[Key] = &[
    optional("decisions", value::<BTreeSet<DecisionRecord>>()),
    optional("retention", value::<Period>()),
    optional("redact", value::<Vec<String>>()),
    optional("when_full", value::<WhenFull>()),
];

static CRITICAL: &[Key] =
    &[required("name", value::<String>()), required("since", value::<String>())];
