//! Asks: whom to ask about a code or a condition, so that the first call goes to the right desk.

use serde::Serialize;

use crate::{code::Code, condition::ConditionCode};

/// Who can settle it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Whoever met it: by another call, another file, another command.
    You,
    /// Whoever runs the site's machine: its disk, network, clock and configuration.
    It,
    /// Whoever issued the license.
    Vendor,
}

impl Asks {
    /// The answer to "whom to ask", for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::You => "nobody; you can settle it yourself",
            Self::It => "your IT",
            Self::Vendor => "the vendor",
        }
    }
}

impl Code {
    /// Whom to ask about it.
    #[allow(clippy::too_many_lines)] // a list
    pub const fn asks(self) -> Asks {
        match self {
            // The call, and whoever makes it.
            Self::ContractVersionMissing
            | Self::ContractUnsupportedVersion
            | Self::CorrelationMissing
            | Self::RequestMalformed
            | Self::RequestTooLarge
            | Self::RequestTimeout
            | Self::RequestNotFound
            | Self::RequestMethod
            | Self::RequestMediaType
            | Self::ServerOverloaded
            | Self::AuthMissing
            | Self::TenantMissing
            | Self::RuntimeMissing
            | Self::RuntimeMismatch
            | Self::RuntimeNotRegistered
            | Self::RuntimeIdTaken
            | Self::IdentityTokenInvalid
            | Self::EnrollAlready
            | Self::IdempotencyKeyInvalid
            | Self::IdempotencyConflict
            | Self::IdempotencyTooMany
            | Self::EventRefused
            | Self::EventConflict
            | Self::AuditFlood
            | Self::AuditGap
            | Self::ReceiptForeign
            | Self::ExportEmpty
            | Self::StateLocked
            | Self::EnvelopeMalformed
            | Self::EnvelopeTooLarge
            | Self::BundleMalformed
            | Self::BundleTooLarge
            | Self::TypedFormMalformed
            | Self::BundleSuperseded
            | Self::BundleIncomplete
            | Self::BundleUnexpected
            | Self::TrustSkipped
            | Self::BundleStrands
            | Self::LedgerBroken
            | Self::LedgerConflict
            | Self::LedgerLocked
            | Self::LedgerBudget
            | Self::LintFound
            | Self::UsageInvalid
            | Self::InputUnreadable
            | Self::OutputExists
            | Self::OutputUnwritable
            | Self::OutputIsKey
            | Self::KeyUnreadable
            | Self::KeyPassphrase
            | Self::KeyModule
            | Self::KeyWeak
            | Self::TemplateInvalid => Asks::You,

            // The machine, the network, the configuration.
            Self::AuthInvalid
            | Self::RuntimeTooMany
            | Self::IdentityUnavailableOffline
            | Self::IdentityProviderUnknown
            | Self::CertificateMissing
            | Self::CertificateUnknown
            | Self::KernelUnreachable
            | Self::KernelUntrusted
            | Self::KernelAnswer
            | Self::LicenseMissing
            | Self::LicenseNotBegun
            | Self::AuditFull
            | Self::StoreUnavailable
            | Self::StateNewerSchema
            | Self::StateUnusable
            | Self::TrustMissing
            | Self::PayloadCritical
            | Self::PayloadType
            | Self::ConfigInvalid
            | Self::AgentUnreachable
            | Self::CheckFailed => Asks::It,

            // What was agreed, and what was signed.
            Self::ServerInternal
            | Self::TenantMismatch
            | Self::RuntimeNotLicensed
            | Self::RuntimeRestricted
            | Self::RuntimeSuspended
            | Self::AgentSuspended
            | Self::EnrollTokenInvalid
            | Self::EnrollTokenUsed
            | Self::LicenseExpired
            | Self::LicenseRevoked
            | Self::LicenseVersion
            | Self::LicenseReleased
            | Self::FeatureNotGranted
            | Self::FeatureDenied
            | Self::EntitlementExpired
            | Self::QuotaExhausted
            | Self::ChainBroken
            | Self::ReceiptBranch
            | Self::PayloadMalformed
            | Self::SignatureInvalid
            | Self::SignatureKeyUnknown
            | Self::SignatureKeyRevoked
            | Self::SignatureWrongRole
            | Self::SignatureThreshold
            | Self::TrustConflict
            | Self::TrustHash
            | Self::TrustRootExpired
            | Self::TrustIssuer
            | Self::RootInvalid
            | Self::BundleConflict
            | Self::LicenseMode
            | Self::LicenseBinding
            | Self::LicenseFeatureConflict
            | Self::ClockResetForeign => Asks::Vendor,
        }
    }
}

impl ConditionCode {
    /// Whom to ask about it.
    pub const fn asks(self) -> Asks {
        match self {
            Self::NotEnrolled
            | Self::KernelUnreachable
            | Self::CertificateExpiring
            | Self::CertificateExpired
            | Self::TrustMissing
            | Self::ClockRollback
            | Self::ClockSkew
            | Self::FingerprintUnread
            | Self::QueueHigh
            | Self::QueueFull
            | Self::DiskLow
            | Self::StoreRecovered
            | Self::ProxyIntercepts
            | Self::ConfigRejected => Asks::It,
            Self::AuthRejected
            | Self::BundleMissing
            | Self::BundleRejected
            | Self::TrustRootExpiring
            | Self::LicenseExpiring
            | Self::LicenseGrace
            | Self::LicenseRestricted
            | Self::LicenseExpired
            | Self::LicenseRevoked
            | Self::FingerprintDrift
            | Self::RuntimeSuspended => Asks::Vendor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An action that sends people to the vendor must not be contradicted by whom to ask.
    #[test]
    fn who_is_asked_is_who_the_action_names() {
        for &code in Code::ALL {
            if code.action().starts_with("Ask the vendor") {
                assert_eq!(code.asks(), Asks::Vendor, "{code}");
            }
        }
        for &condition in ConditionCode::ALL {
            if condition.hint().starts_with("Ask the vendor") {
                assert_eq!(condition.asks(), Asks::Vendor, "{}", condition.as_str());
            }
        }
    }
}
