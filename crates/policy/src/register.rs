//! Registration: whether a new runtime may begin while the Kernel can't be asked.

use farhold_contract::{Code, Date, id::TenantId, model::RuntimeType};

use crate::{clock::Now, granted::Granted, ladder::Phase, line::Line, state::PolicyState};

impl PolicyState {
    /// Whether a runtime not seen before may register (contract v0.2, `register`): a license in
    /// force has an entitlement for its type. One for a single runtime is for no type.
    ///
    /// # Errors
    /// The code that tells most: `runtime.restricted` past the grace; `license.expired`,
    /// `license.revoked`, `license.not_begun` or a barred license's reason where that is why;
    /// `runtime.not_licensed`; `license.missing`.
    pub fn may_register(
        &self,
        tenant_id: TenantId,
        runtime_type: RuntimeType,
        now: &Now,
    ) -> Result<(), Code> {
        self.may_register_released(tenant_id, runtime_type, None, now)
    }

    /// The same for a runtime that states when its version was released: what a license covers
    /// without end (`released_before`) may be installed anew past that license's end.
    ///
    /// # Errors
    /// As [`PolicyState::may_register`].
    pub fn may_register_released(
        &self,
        tenant_id: TenantId,
        runtime_type: RuntimeType,
        released_on: Option<Date>,
        now: &Now,
    ) -> Result<(), Code> {
        let mut most_telling = (Telling::Missing, Code::LicenseMissing);
        for line in self.lines_of(tenant_id) {
            match line.may_register(runtime_type, released_on, now) {
                Ok(()) => return Ok(()),
                Err(refusal) if refusal.0 > most_telling.0 => most_telling = refusal,
                Err(_) => {}
            }
        }
        Err(most_telling.1)
    }
}

/// How much a refusal tells; the later, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    Missing,
    NothingInForce,
    NotLicensed,
    Ended,
    Restricted,
}

impl Line {
    fn may_register(
        &self,
        kind: RuntimeType,
        released_on: Option<Date>,
        now: &Now,
    ) -> Result<(), (Telling, Code)> {
        let Some(license) = self.in_force(now.instant) else {
            return Err((Telling::NothingInForce, self.why_none(now.instant)));
        };
        let coverage = license.coverage_by_release(released_on);
        let phase_of = |granted: &Granted| granted.timeline_for(coverage).phase_at(now.instant);
        let phases = license.entitlements.iter().filter(|g| g.is_for_type(kind)).map(phase_of);
        match phases.min() {
            None => Err((Telling::NotLicensed, Code::RuntimeNotLicensed)),
            Some(Phase::Restricted) => Err((Telling::Restricted, Code::RuntimeRestricted)),
            Some(Phase::Stopped) => Err((Telling::Ended, Code::LicenseExpired)),
            Some(_) => Ok(()),
        }
    }
}
