//! Alerts: the closed list of what a Kernel raises about a site (contract v0.2 §9).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! alerts {
    ($($name:ident = $text:literal, $sentence:literal, $action:literal;)*) => {
        /// An alert of the closed list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs)] // each one's documentation is its `sentence`
        pub enum AlertCode { $(#[serde(rename = $text)] $name,)* }

        impl AlertCode {
            /// Every alert, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The alert on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it means, in one sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            /// One next action.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }
        }
    };
}

alerts! {
    StateRolledBack = "state.rolled_back", "An agent reports a chain or a mark behind what it reported before.", "Ask the site whether its state was restored from a snapshot.";
    ChainForked = "chain.forked", "Two records of one device key and epoch follow the same head.", "Compare the branches: audit list --agent; ask whether the machine was cloned.";
    AgentCloned = "agent.cloned", "Two instances of one device key are alive at once.", "Have the site stop one of the machines and enroll it anew.";
    EventsMissing = "events.missing", "A run of records never came.", "Ask the site for an export of that run.";
    TrustForeignRoot = "trust.foreign_root", "A site stands on a root that is not the issuer's.", "Compare the hashes with the site; enroll it anew if need be.";
    LicenseOverSites = "license.over_sites", "More device keys reported a license in 30 days than its sites; never a cut.", "Talk to the customer about the license.";
    LicenseNotInLedger = "license.not_in_ledger", "A site reports a license the issuer's ledger does not have.", "Enter it if it was issued in an emergency; else treat the license key as stolen.";
    EnrollTokenReused = "enroll.token_reused", "A second device key used an enrollment token.", "Ask the site which machine is theirs; revoke the other agent.";
    TenantMismatch = "tenant.mismatch", "A caller named a tenant that is not its own.", "Check the caller's configuration; treat its credentials as stolen if nobody can explain it.";
}

/// The text is not an alert of the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an alert of this version")]
pub struct UnknownAlert;

impl FromStr for AlertCode {
    type Err = UnknownAlert;

    fn from_str(text: &str) -> Result<Self, UnknownAlert> {
        Self::ALL.iter().copied().find(|alert| alert.as_str() == text).ok_or(UnknownAlert)
    }
}

impl fmt::Display for AlertCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
