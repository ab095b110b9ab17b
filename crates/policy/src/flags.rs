//! Flags: the switches of the product that are set for a runtime now.

use farhold_bundle::{
    Positive,
    payload::{Flag, FlagValue},
};
use farhold_contract::{
    call::flags::SetFlag,
    id::{LicenseId, TenantId},
};

use crate::{
    clock::Now,
    ladder::Phase,
    line::Line,
    question::RuntimeFacts,
    standing_license::{Coverage, covers},
    state::PolicyState,
};

/// A switch that is set for a runtime. A kill switch is one that is set to `false`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlagInForce<'a> {
    /// The product that it is a switch of.
    pub product: &'a str,
    /// Its name.
    pub key: &'a str,
    /// What it is set to.
    pub value: &'a FlagValue,
    /// The license that sets it.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: Positive,
}

impl From<FlagInForce<'_>> for SetFlag {
    /// The switch as a runtime is told of it.
    fn from(flag: FlagInForce<'_>) -> Self {
        let value = match flag.value.clone() {
            FlagValue::Bool(value) => value.into(),
            FlagValue::String(value) => value.into(),
            FlagValue::Number(value) => value.into(),
            FlagValue::Object(value) => value.into(),
        };
        Self { product: flag.product.to_owned(), key: flag.key.to_owned(), value }
    }
}

impl PolicyState {
    /// The switches of a tenant that are set for a runtime of its version, by product and name.
    ///
    /// In each line the license in force decides alone, and only while it covers the runtime: past
    /// its stop, for another version, or superseded, it sets nothing.
    pub fn flags(
        &self,
        tenant_id: TenantId,
        runtime: &RuntimeFacts,
        now: &Now,
    ) -> Vec<FlagInForce<'_>> {
        let lines = self.lines_of(tenant_id).iter();
        let mut set: Vec<_> = lines.flat_map(|line| line.flags(runtime, now)).collect();
        set.sort_by_key(|flag| (flag.product, flag.key));
        set
    }
}

impl Line {
    fn flags<'l>(
        &'l self,
        runtime: &RuntimeFacts,
        now: &Now,
    ) -> impl Iterator<Item = FlagInForce<'l>> {
        let covers_it = |coverage, phase| match coverage {
            Coverage::No => false,
            Coverage::ToTheEnd => phase != Phase::Stopped,
            Coverage::WithoutEnd => true,
        };
        let deciding = self.in_force(now.instant).filter(|license| {
            covers_it(license.coverage(runtime), license.timeline.phase_at(now.instant))
        });
        deciding.into_iter().flat_map(move |license| {
            let fits = move |flag: &&Flag| covers(flag.versions.as_ref(), &runtime.version);
            license.document.flags.iter().filter(fits).map(move |flag| FlagInForce {
                product: &self.product,
                key: &flag.key,
                value: &flag.value,
                license_id: license.license_id,
                serial: license.serial,
            })
        })
    }
}
