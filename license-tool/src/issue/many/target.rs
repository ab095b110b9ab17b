//! Target: what a cell changes in a license.

use std::{fmt::Display, str::FromStr};

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use farhold_bundle::{
    Positive,
    payload::{Binding, FlagValue, License},
};

/// The columns that there are, for people.
const COLUMNS: &str = "\
license_id, product, issued_to, tenant_id, tenant.type, tenant.security_level, \
tenant.data_residency, not_before, expires_on, time_zone, modes, sites, versions, \
released_before, binding, telemetry, ladder.warn, ladder.grace, ladder.restrict, \
limits.FEATURE (its quota), limits.FEATURE.time_window, limits.FEATURE.concurrency, \
limits.FEATURE.overage, valid_until.FEATURE, flags.KEY, metadata.KEY, and # for notes that \
nobody reads";

/// What a cell changes.
#[derive(Debug)]
pub(super) enum Target {
    /// Nothing: a note of the vendor's.
    Note,
    /// Which contract it is.
    LicenseId,
    /// A member of the license.
    Member(&'static Member),
    /// A limit of the entitlements at these places.
    Limit(Vec<usize>, Limit),
    /// The end of the entitlements at these places.
    ValidUntil(Vec<usize>),
    /// The value of the flag at this place.
    Flag(usize),
    /// A note that the license carries.
    Metadata(String),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    Quota,
    TimeWindow,
    Concurrency,
    Overage,
}

/// A member of a license that a column may give.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    set: fn(&mut License, &str) -> Result<(), String>,
    /// Takes the member away; none for what a license must have.
    clear: Option<fn(&mut License)>,
}

macro_rules! member {
    ($name:literal, $($path:ident).+) => {
        Member { name: $name, set: |license, text| { license.$($path).+ = plain(text)?; Ok(()) }, clear: None }
    };
    ($name:literal, $($path:ident).+, word) => {
        Member { name: $name, set: |license, text| { license.$($path).+ = word(text)?; Ok(()) }, clear: None }
    };
    ($name:literal, $($path:ident).+, optional) => {
        Member {
            name: $name,
            set: |license, text| { license.$($path).+ = Some(plain(text)?); Ok(()) },
            clear: Some(|license| license.$($path).+ = None),
        }
    };
}

static MEMBERS: [Member; 18] = [
    member!("product", product),
    member!("issued_to", issued_to),
    member!("tenant_id", tenant.tenant_id),
    member!("tenant.type", tenant.kind, word),
    member!("tenant.security_level", tenant.policies.security_level, word),
    member!("tenant.data_residency", tenant.policies.data_residency, optional),
    member!("not_before", not_before),
    member!("expires_on", expires_on, optional),
    member!("time_zone", time_zone, optional),
    Member {
        name: "modes",
        set: |license, text| {
            license.modes = text.split_whitespace().map(word).collect::<Result<_, _>>()?;
            Ok(())
        },
        clear: None,
    },
    Member {
        name: "sites",
        set: |license, text| {
            license.sites = number(text)?;
            Ok(())
        },
        clear: None,
    },
    member!("versions", versions, optional),
    member!("released_before", released_before, optional),
    Member {
        name: "binding",
        set: |license, text| {
            license.binding = Some(match text {
                "none" => Binding::None,
                key => Binding::DeviceKey(
                    key.parse().map_err(|_| "must be none, or a device key of 64 digits")?,
                ),
            });
            Ok(())
        },
        clear: Some(|license| license.binding = None),
    },
    member!("telemetry", telemetry, word),
    member!("ladder.warn", ladder.warn, optional),
    member!("ladder.grace", ladder.grace, optional),
    member!("ladder.restrict", ladder.restrict, optional),
];

impl Target {
    /// What a heading names.
    pub(super) fn named(name: &str, license: &License) -> Result<Self, String> {
        if name.starts_with('#') {
            return Ok(Target::Note);
        }
        if name == "license_id" {
            return Ok(Target::LicenseId);
        }
        // `tenant.tenant_id` is how a template has it.
        let plain_name = if name == "tenant.tenant_id" { "tenant_id" } else { name };
        if let Some(member) = MEMBERS.iter().find(|member| member.name == plain_name) {
            return Ok(Target::Member(member));
        }
        match name.split_once('.') {
            Some(("limits", rest)) => limit(rest, license),
            Some(("valid_until", feature)) => Ok(Target::ValidUntil(places(feature, license)?)),
            Some(("flags", key)) => {
                let at = license.flags.iter().position(|flag| flag.key == key);
                let at = at.ok_or_else(|| format!("the template has no flag {key}"))?;
                match license.flags[at].value {
                    FlagValue::Object(_) => {
                        Err("a flag with members has no place in a cell".to_owned())
                    }
                    _ => Ok(Target::Flag(at)),
                }
            }
            Some(("metadata", key)) if !key.is_empty() => Ok(Target::Metadata(key.to_owned())),
            _ => Err(unknown(name)),
        }
    }

    /// Changes a license as a cell says.
    pub(super) fn set(&self, license: &mut License, text: &str) -> Result<(), String> {
        match self {
            Self::Note | Self::LicenseId => {}
            Self::Member(member) => (member.set)(license, text)?,
            Self::Limit(places, limit) => {
                for &at in places {
                    let limits = &mut license.entitlements[at].limits;
                    match limit {
                        Limit::Quota => limits.quota = Some(number(text)?),
                        Limit::TimeWindow => limits.time_window = Some(plain(text)?),
                        Limit::Concurrency => limits.concurrency = Some(number(text)?),
                        Limit::Overage => limits.overage = Some(number(text)?),
                    }
                }
            }
            Self::ValidUntil(places) => {
                for &at in places {
                    license.entitlements[at].valid_until = Some(plain(text)?);
                }
            }
            Self::Flag(at) => {
                let value = &mut license.flags[*at].value;
                *value = match value {
                    FlagValue::Bool(_) => FlagValue::Bool(plain(text)?),
                    FlagValue::Number(_) => FlagValue::Number(json_number(text)?),
                    _ => FlagValue::String(text.to_owned()),
                };
            }
            Self::Metadata(key) => {
                let notes = license.metadata.get_or_insert_with(Map::new);
                notes.insert(key.clone(), Value::from(text));
            }
        }
        Ok(())
    }

    /// Takes away from a license what the template has.
    pub(super) fn clear(&self, license: &mut License) -> Result<(), String> {
        match self {
            Self::Note => {}
            Self::Member(Member { clear: Some(clear), .. }) => clear(license),
            Self::Limit(places, limit) => {
                for &at in places {
                    let limits = &mut license.entitlements[at].limits;
                    match limit {
                        Limit::Quota => limits.quota = None,
                        Limit::TimeWindow => limits.time_window = None,
                        Limit::Concurrency => limits.concurrency = None,
                        Limit::Overage => limits.overage = None,
                    }
                }
            }
            Self::ValidUntil(places) => {
                for &at in places {
                    license.entitlements[at].valid_until = None;
                }
            }
            Self::Metadata(key) => {
                if let Some(notes) = &mut license.metadata {
                    notes.remove(key);
                }
                // Whatever the row before has put there, the same row is the same license.
                license.metadata.take_if(|notes| notes.is_empty());
            }
            Self::LicenseId | Self::Member(_) | Self::Flag(_) => {
                return Err(
                    "can't be taken away; leave the cell empty for the template's".to_owned()
                );
            }
        }
        Ok(())
    }
}

fn limit(rest: &str, license: &License) -> Result<Target, String> {
    // A feature's name may have dots, too: the whole of it goes before.
    if let Ok(places) = places(rest, license) {
        return Ok(Target::Limit(places, Limit::Quota));
    }
    let limits = [
        (".quota", Limit::Quota),
        (".time_window", Limit::TimeWindow),
        (".concurrency", Limit::Concurrency),
        (".overage", Limit::Overage),
    ];
    let (feature, limit) = limits
        .into_iter()
        .find_map(|(ending, limit)| Some((rest.strip_suffix(ending)?, limit)))
        .unwrap_or((rest, Limit::Quota));
    Ok(Target::Limit(places(feature, license)?, limit))
}

fn places(feature: &str, license: &License) -> Result<Vec<usize>, String> {
    let places: Vec<usize> = license
        .entitlements
        .iter()
        .enumerate()
        .filter(|(_, entitlement)| entitlement.feature == feature)
        .map(|(at, _)| at)
        .collect();
    if !places.is_empty() {
        return Ok(places);
    }
    let features: Vec<&str> =
        license.entitlements.iter().map(|entitlement| entitlement.feature.as_str()).collect();
    Err(format!("the template grants no feature {feature}; it grants {}", features.join(", ")))
}

fn unknown(name: &str) -> String {
    let near = MEMBERS
        .iter()
        .map(|member| member.name)
        .chain(["license_id"])
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, known)| *distance <= known.len().max(3) / 3)
        .min();
    match near {
        Some((_, known)) => format!("is not known; did you mean {known}?"),
        None => format!("is not known; there are {COLUMNS}"),
    }
}

pub(super) fn plain<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::from(text)).map_err(|error| error.to_string())
}

fn number(text: &str) -> Result<Positive, String> {
    let number = text.parse().ok().and_then(Positive::new);
    number.ok_or_else(|| "not a whole number from 1 to 9007199254740991".to_owned())
}

/// A number that every JSON reader agrees on (`bundle.md` §1.6).
fn json_number(text: &str) -> Result<Number, String> {
    let number: Number = serde_json::from_str(text).map_err(|_| "not a number".to_owned())?;
    let agreed = number.as_f64().is_some_and(|value| value.abs() <= Positive::MAX.as_u64() as f64);
    agreed.then_some(number).ok_or_else(|| "a number beyond 2^53 - 1".to_owned())
}
