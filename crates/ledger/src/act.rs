//! Act: what an entry says was done.

use serde::{Deserialize, Serialize};

use farhold_bundle::Positive;
use farhold_contract::{
    Sha256Digest,
    id::{IssuerId, LicenseId},
};

use crate::{bound::DeviceKey, issue::Issue};

/// What was done (`specs/ledger.md` §3).
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The ledger began: always the first entry, and no other.
    Begun {
        /// Whose licenses it is about.
        issuer: IssuerId,
    },
    /// A license was signed.
    Issued(Issue),
    /// A license was signed for another machine than before: it counts against the year's budget.
    Rehosted(Issue),
    /// A machine's request said that it gives a license up.
    Released(Release),
    /// A license was met that is validly signed and was not in the ledger: the slip of its
    /// break-glass issue is still missing.
    BreakGlass(Issue),
    /// The slip of a break-glass issue came in.
    Entered(Issue),
}

/// What kind of act it is, as the line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The ledger began.
    Begun,
    /// A license was signed.
    Issued,
    /// A license was signed for another machine.
    Rehosted,
    /// A machine gave a license up.
    Released,
    /// A license was met that was not in the ledger.
    BreakGlass,
    /// A break-glass slip came in.
    Entered,
}

/// A license given up by a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The license.
    pub license_id: LicenseId,
    /// The serial that the machine held, where its request says so.
    pub serial: Option<Positive>,
    /// The machine.
    pub device_key: DeviceKey,
    /// SHA-256 of the payload of the request that says so.
    pub request: Sha256Digest,
}

impl Act {
    /// What kind of act it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Begun { .. } => Kind::Begun,
            Self::Issued(_) => Kind::Issued,
            Self::Rehosted(_) => Kind::Rehosted,
            Self::Released(_) => Kind::Released,
            Self::BreakGlass(_) => Kind::BreakGlass,
            Self::Entered(_) => Kind::Entered,
        }
    }

    /// The license that was signed, where one was.
    pub const fn issue(&self) -> Option<&Issue> {
        match self {
            Self::Issued(issue)
            | Self::Rehosted(issue)
            | Self::BreakGlass(issue)
            | Self::Entered(issue) => Some(issue),
            Self::Begun { .. } | Self::Released(_) => None,
        }
    }

    /// The license that it is about, where it is about one.
    pub const fn license_id(&self) -> Option<LicenseId> {
        match (self, self.issue()) {
            (_, Some(issue)) => Some(issue.license_id),
            (Self::Released(release), None) => Some(release.license_id),
            _ => None,
        }
    }
}

impl Kind {
    /// The kind in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Issued => "issued",
            Self::Rehosted => "rehosted",
            Self::Released => "released",
            Self::BreakGlass => "break_glass",
            Self::Entered => "entered",
        }
    }
}
