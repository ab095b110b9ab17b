//! Question: who asks, for what, and what the Kernel last said about it.

use std::collections::BTreeSet;

use farhold_contract::{
    Date,
    id::{RuntimeId, TenantId},
    model::RuntimeType,
};

/// What a runtime stated at its last registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFacts {
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// What it is.
    pub runtime_type: RuntimeType,
    /// Its version; not semver: no license that asks for versions covers it.
    pub version: String,
    /// The day its version was released, if it stated one.
    pub released_on: Option<Date>,
}

/// What the Kernel took away by its last accepted answer; at a detached site, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restraints {
    /// The whole organization is suspended.
    pub tenant_suspended: bool,
    /// This runtime is suspended.
    pub runtime_suspended: bool,
    /// Features denied to it for now.
    pub features_denied: BTreeSet<String>,
}

/// How fresh the Kernel's last answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// There is no link, ever.
    Detached,
    /// No heartbeat was accepted for three polls.
    Offline,
    /// The last answer is fresh.
    Online,
}

/// May this runtime use this feature now?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime that asks.
    pub runtime: &'a RuntimeFacts,
    /// What it wants to use.
    pub feature: &'a str,
    /// Units to consume; absent: look only.
    pub consume: Option<u64>,
}

/// Whoever asks for a feature: one runtime, or any of its type and version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) feature: &'a str,
    pub(crate) runtime: &'a RuntimeFacts,
    /// Which runtime, where it matters that it is this one.
    pub(crate) runtime_id: Option<RuntimeId>,
}

impl<'a> Asker<'a> {
    /// One runtime.
    pub(crate) const fn one(feature: &'a str, runtime: &'a RuntimeFacts) -> Self {
        Self { feature, runtime, runtime_id: Some(runtime.runtime_id) }
    }

    /// Any runtime that is like this one and not named by a license.
    pub(crate) const fn any_like(feature: &'a str, runtime: &'a RuntimeFacts) -> Self {
        Self { feature, runtime, runtime_id: None }
    }
}
