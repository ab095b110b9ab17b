//! Scope: for whom an entitlement is, and how much it gives, as people are shown both.

use std::fmt;

use farhold_bundle::{Positive, payload::Entitlement};
use farhold_contract::{id::RuntimeId, model::RuntimeType};

use crate::question::RuntimeFacts;

/// For whom an entitlement is (`bundle.md` §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every runtime.
    Everyone,
    /// Every runtime of a type.
    Type(RuntimeType),
    /// One runtime.
    Runtime(RuntimeId),
}

/// How much an entitlement gives: all that its license says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntitlementLimits {
    /// Units per window; absent: as many as wanted.
    pub quota: Option<u64>,
    /// Units above the quota that are still given; absent: none.
    pub overage: Option<u64>,
    /// After which the quota begins anew, an ISO 8601 duration; absent: never.
    pub time_window: Option<String>,
    /// How many at once; absent: as many as wanted.
    pub concurrency: Option<u64>,
}

impl Scope {
    /// The scope of an entitlement as its license writes it.
    pub const fn of(entitlement: &Entitlement) -> Self {
        match (entitlement.runtime_id, entitlement.runtime_type) {
            (Some(runtime_id), _) => Self::Runtime(runtime_id),
            (None, Some(kind)) => Self::Type(kind),
            (None, None) => Self::Everyone,
        }
    }

    /// Whether it is for a runtime.
    pub fn covers(self, runtime: &RuntimeFacts) -> bool {
        match self {
            Self::Everyone => true,
            Self::Type(kind) => kind == runtime.runtime_type,
            Self::Runtime(runtime_id) => runtime_id == runtime.runtime_id,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("every runtime"),
            Self::Type(kind) => f.write_str(kind.as_str()),
            Self::Runtime(runtime_id) => write!(f, "runtime {runtime_id}"),
        }
    }
}

impl From<&Entitlement> for EntitlementLimits {
    fn from(entitlement: &Entitlement) -> Self {
        let limits = &entitlement.limits;
        Self {
            quota: limits.quota.map(Positive::as_u64),
            overage: limits.overage.map(Positive::as_u64),
            time_window: limits.time_window.as_ref().map(ToString::to_string),
            concurrency: limits.concurrency.map(Positive::as_u64),
        }
    }
}
