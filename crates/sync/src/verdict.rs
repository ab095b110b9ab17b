//! Verdict: the one table of permanent and transient.
//!
//! A Kernel that says no, a network that is down, a server that can't now and a portal that
//! answers in the Kernel's place are four things. Only the Kernel's own word, a code of the
//! closed list, is final; a bare status may come from anything in between.

use std::time::Duration;

use farhold_contract::Code;

use crate::{
    limits::LIMITS,
    outcome::{Call, Failure, Outcome},
};

/// What an outcome means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// What is there is what was asked for (304 to a pull).
    NotModified,
    /// The Kernel was not reached: the network, the proxy, or whoever answered in its place.
    /// Transient, with backoff; ended early when the Kernel is heard by another call.
    Unreachable,
    /// The Kernel can't now. Transient, with backoff.
    RetryLater,
    /// The Kernel can't now and says for how long, within the bounds of [`LIMITS`].
    RetryAfter(Duration),
    /// The Kernel refuses who we are. Retried: six times in a row, then hourly.
    AuthRejected,
    /// As [`Self::AuthRejected`], and a new certificate may help: renew now.
    Renew,
    /// The Kernel lacks the records before these: go back to where both agree.
    Gap,
    /// The call is too large as it is: cut it smaller.
    SplitSmaller,
    /// This call never succeeds as it is: it is not repeated until something changes.
    RefusedForGood,
}

impl Verdict {
    /// Whether the same call may succeed later with nothing changed on this side.
    pub const fn is_transient(self) -> bool {
        match self {
            Self::Unreachable
            | Self::RetryLater
            | Self::RetryAfter(_)
            | Self::AuthRejected
            | Self::Renew => true,
            Self::Done
            | Self::NotModified
            | Self::Gap
            | Self::SplitSmaller
            | Self::RefusedForGood => false,
        }
    }

    /// Whether the Kernel did what was asked, or had nothing to do.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Done | Self::NotModified)
    }
}

/// What `outcome` means for `call`.
pub fn verdict(call: Call, outcome: &Outcome) -> Verdict {
    match *outcome {
        Outcome::Failed(failure) => of_failure(call, failure),
        Outcome::Answered { status, code, retry_after } => {
            match (of_answer(call, status, code), retry_after) {
                (Verdict::RetryLater, Some(wished)) => Verdict::RetryAfter(
                    wished.clamp(LIMITS.retry_after_min, LIMITS.retry_after_max),
                ),
                (verdict, _) => verdict,
            }
        }
    }
}

const fn of_failure(call: Call, failure: Failure) -> Verdict {
    match failure {
        Failure::Refused
        | Failure::Unresolved
        | Failure::TimedOut
        | Failure::Reset
        | Failure::Untrusted
        | Failure::Proxy
        | Failure::ProxyCredentials
        | Failure::Malformed => Verdict::Unreachable,
        Failure::CertificateRejected | Failure::CertificateExpired => match call {
            // It shows none: whatever rejected one is not the Kernel.
            Call::Enroll => Verdict::Unreachable,
            // Contract v0.2 §8.2.2: renewed again, without it.
            Call::Renew
            | Call::Register
            | Call::Heartbeat
            | Call::Pull
            | Call::Push
            | Call::Resolve => Verdict::Renew,
        },
    }
}

const fn of_answer(call: Call, status: u16, code: Option<Code>) -> Verdict {
    match status {
        200..=299 => Verdict::Done,
        304 if matches!(call, Call::Pull) => Verdict::NotModified,
        400..=599 => match code {
            Some(code) => of_code(call, code),
            None => of_status(call, status),
        },
        // A redirect is not followed: the Kernel sends none.
        _ => Verdict::Unreachable,
    }
}

/// A refusal without a code of ours: a gateway's, a portal's, or a newer Kernel's.
const fn of_status(call: Call, status: u16) -> Verdict {
    match status {
        401 | 403 => Verdict::AuthRejected,
        413 if matches!(call, Call::Push) => Verdict::SplitSmaller,
        408 | 425 | 429 | 500..=510 | 512..=599 => Verdict::RetryLater,
        // 407 and 511 are a proxy and a portal by their own words; any other is not the
        // contract's.
        _ => Verdict::Unreachable,
    }
}

/// A refusal by the Kernel's own word. No variant falls through: a new code is a new row.
const fn of_code(call: Call, code: Code) -> Verdict {
    match code {
        // The server can't now: its load, its disk, its defect.
        Code::RequestTimeout
        | Code::ServerOverloaded
        | Code::ServerInternal
        | Code::IdentityUnavailableOffline
        | Code::KernelUnreachable
        | Code::KernelUntrusted
        | Code::KernelAnswer
        | Code::IdempotencyTooMany
        | Code::AuditFlood
        | Code::AuditFull
        | Code::StoreUnavailable
        | Code::StateLocked
        | Code::StateNewerSchema
        | Code::StateUnusable
        | Code::OutputUnwritable
        | Code::AgentUnreachable
        | Code::KeyModule
        | Code::LedgerLocked
        | Code::CheckFailed => Verdict::RetryLater,

        // Who we are is refused.
        Code::AuthMissing | Code::AuthInvalid | Code::AgentSuspended => Verdict::AuthRejected,
        Code::CertificateMissing | Code::CertificateUnknown => match call {
            Call::Enroll => Verdict::RefusedForGood,
            // To renew because a renewal is refused would be a circle.
            Call::Renew => Verdict::AuthRejected,
            Call::Register | Call::Heartbeat | Call::Pull | Call::Push | Call::Resolve => {
                Verdict::Renew
            }
        },
        // Of one runtime's call it is that call; of the agent's own it is the agent.
        Code::TenantMismatch | Code::RuntimeMismatch => match call {
            Call::Enroll | Call::Register | Call::Resolve => Verdict::RefusedForGood,
            Call::Renew | Call::Heartbeat | Call::Pull | Call::Push => Verdict::AuthRejected,
        },
        Code::RuntimeSuspended => match call {
            // Lifted at the Kernel, with nothing changed here.
            Call::Register => Verdict::RetryLater,
            Call::Enroll | Call::Resolve => Verdict::RefusedForGood,
            Call::Renew | Call::Heartbeat | Call::Pull | Call::Push => Verdict::AuthRejected,
        },

        // What a batch alone can mend.
        Code::AuditGap => match call {
            Call::Push => Verdict::Gap,
            Call::Enroll
            | Call::Renew
            | Call::Register
            | Call::Heartbeat
            | Call::Pull
            | Call::Resolve => Verdict::RefusedForGood,
        },
        Code::RequestTooLarge => match call {
            Call::Push => Verdict::SplitSmaller,
            Call::Enroll
            | Call::Renew
            | Call::Register
            | Call::Heartbeat
            | Call::Pull
            | Call::Resolve => Verdict::RefusedForGood,
        },

        // The call itself: its form, its content, or what it asks for.
        Code::ContractVersionMissing
        | Code::ContractUnsupportedVersion
        | Code::CorrelationMissing
        | Code::RequestMalformed
        | Code::RequestNotFound
        | Code::RequestMethod
        | Code::RequestMediaType
        | Code::TenantMissing
        | Code::RuntimeMissing
        | Code::RuntimeNotRegistered
        | Code::RuntimeNotLicensed
        | Code::RuntimeRestricted
        | Code::RuntimeIdTaken
        | Code::RuntimeTooMany
        | Code::IdentityTokenInvalid
        | Code::IdentityProviderUnknown
        | Code::EnrollTokenInvalid
        | Code::EnrollTokenUsed
        | Code::EnrollAlready
        | Code::LicenseMissing
        | Code::LicenseNotBegun
        | Code::LicenseExpired
        | Code::LicenseRevoked
        | Code::LicenseVersion
        | Code::LicenseReleased
        | Code::FeatureNotGranted
        | Code::FeatureDenied
        | Code::EntitlementExpired
        | Code::QuotaExhausted
        | Code::IdempotencyKeyInvalid
        | Code::IdempotencyConflict
        | Code::EventRefused
        | Code::EventConflict
        | Code::ChainBroken
        | Code::ReceiptForeign
        | Code::ReceiptBranch
        | Code::ExportEmpty
        | Code::EnvelopeMalformed
        | Code::EnvelopeTooLarge
        | Code::BundleMalformed
        | Code::BundleTooLarge
        | Code::TypedFormMalformed
        | Code::PayloadType
        | Code::PayloadMalformed
        | Code::PayloadCritical
        | Code::SignatureInvalid
        | Code::SignatureKeyUnknown
        | Code::SignatureKeyRevoked
        | Code::SignatureWrongRole
        | Code::SignatureThreshold
        | Code::KeyWeak
        | Code::TrustMissing
        | Code::TrustConflict
        | Code::TrustHash
        | Code::TrustSkipped
        | Code::TrustRootExpired
        | Code::TrustIssuer
        | Code::RootInvalid
        | Code::BundleSuperseded
        | Code::BundleConflict
        | Code::BundleIncomplete
        | Code::BundleUnexpected
        | Code::BundleStrands
        | Code::LedgerBroken
        | Code::LedgerConflict
        | Code::LedgerBudget
        | Code::LintFound
        | Code::LicenseMode
        | Code::LicenseBinding
        | Code::LicenseFeatureConflict
        | Code::ClockResetForeign
        | Code::UsageInvalid
        | Code::InputUnreadable
        | Code::OutputExists
        | Code::OutputIsKey
        | Code::KeyUnreadable
        | Code::KeyPassphrase
        | Code::TemplateInvalid
        | Code::ConfigInvalid => Verdict::RefusedForGood,
    }
}
