//! Mold: a license without what only its issue gives it.

use farhold_bundle::{Positive, payload::License};
use farhold_contract::{Timestamp, id::LicenseId};

/// What an issue gives to a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The contract.
    pub license_id: LicenseId,
    /// The revision.
    pub serial: Positive,
    /// When it is issued.
    pub issued_at: Timestamp,
}

/// A license without what only its issue gives it: the same stamp makes the same license.
#[derive(Debug, Clone)]
pub struct Mold {
    license: License,
    begins_when_issued: bool,
}

impl Mold {
    /// Of a license that begins when it is issued, or whenever it says.
    pub(crate) const fn new(license: License, begins_when_issued: bool) -> Self {
        Self { license, begins_when_issued }
    }

    /// Of a license as it stands: when it begins stays.
    pub const fn of(license: License) -> Self {
        Self::new(license, false)
    }

    /// The license with this stamp.
    pub fn cast(&self, stamp: Stamp) -> License {
        let mut license = self.license.clone();
        self.stamp(stamp, &mut license);
        license
    }

    /// Stamps a license of this mold anew.
    pub(crate) fn stamp(&self, stamp: Stamp, license: &mut License) {
        license.license_id = stamp.license_id;
        license.serial = stamp.serial;
        license.issued_at = stamp.issued_at;
        if self.begins_when_issued {
            license.not_before = stamp.issued_at;
        }
    }

    /// What it is made of; id, serial and time of issue are no one's.
    pub const fn content(&self) -> &License {
        &self.license
    }

    /// What it is made of, to be changed.
    pub const fn content_mut(&mut self) -> &mut License {
        &mut self.license
    }
}
