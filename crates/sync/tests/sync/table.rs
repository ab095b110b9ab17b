//! The one table of permanent and transient: every row by name.

use std::{collections::BTreeMap, time::Duration};

use farhold_contract::Code;
use farhold_sync::{Call, Failure, LIMITS, Outcome, Verdict, verdict};

/// Code by code, what it means for Enroll, Renew, Register, Heartbeat, Pull, Push, Resolve.
///
/// N: refused for good. L: later. A: who we are is refused. R: as A, and renew. G: gap. S: smaller.
#[rustfmt::skip]
const BY_CODE: &[(&str, &str)] = &[
    ("contract.version_missing", "NNNNNNN"),
    ("contract.unsupported_version", "NNNNNNN"),
    ("correlation.missing", "NNNNNNN"),
    ("request.malformed", "NNNNNNN"),
    ("request.too_large", "NNNNNSN"),
    ("request.timeout", "LLLLLLL"),
    ("request.not_found", "NNNNNNN"),
    ("request.method_not_allowed", "NNNNNNN"),
    ("request.media_type", "NNNNNNN"),
    ("server.overloaded", "LLLLLLL"),
    ("server.internal", "LLLLLLL"),
    ("auth.missing", "AAAAAAA"),
    ("auth.invalid", "AAAAAAA"),
    ("tenant.missing", "NNNNNNN"),
    ("tenant.mismatch", "NANAAAN"),
    ("runtime.missing", "NNNNNNN"),
    ("runtime.mismatch", "NANAAAN"),
    ("runtime.not_registered", "NNNNNNN"),
    ("runtime.not_licensed", "NNNNNNN"),
    ("runtime.restricted", "NNNNNNN"),
    ("runtime.suspended", "NALAAAN"),
    ("runtime.id_taken", "NNNNNNN"),
    ("runtime.too_many", "NNNNNNN"),
    ("identity.unavailable_offline", "LLLLLLL"),
    ("identity.token_invalid", "NNNNNNN"),
    ("identity.provider_unknown", "NNNNNNN"),
    ("certificate.missing", "NARRRRR"),
    ("certificate.unknown", "NARRRRR"),
    ("agent.suspended", "AAAAAAA"),
    ("enroll.token_invalid", "NNNNNNN"),
    ("enroll.token_used", "NNNNNNN"),
    ("enroll.already_enrolled", "NNNNNNN"),
    ("kernel.unreachable", "LLLLLLL"),
    ("kernel.untrusted", "LLLLLLL"),
    ("kernel.answer_malformed", "LLLLLLL"),
    ("license.missing", "NNNNNNN"),
    ("license.not_begun", "NNNNNNN"),
    ("license.expired", "NNNNNNN"),
    ("license.revoked", "NNNNNNN"),
    ("license.version_not_covered", "NNNNNNN"),
    ("license.released", "NNNNNNN"),
    ("feature.not_granted", "NNNNNNN"),
    ("feature.denied", "NNNNNNN"),
    ("entitlement.expired", "NNNNNNN"),
    ("quota.exhausted", "NNNNNNN"),
    ("idempotency.key_invalid", "NNNNNNN"),
    ("idempotency.conflict", "NNNNNNN"),
    ("idempotency.too_many", "LLLLLLL"),
    ("event.refused", "NNNNNNN"),
    ("event.conflict", "NNNNNNN"),
    ("audit.flood", "LLLLLLL"),
    ("audit.full", "LLLLLLL"),
    ("audit.gap", "NNNNNGN"),
    ("chain.broken", "NNNNNNN"),
    ("receipt.foreign", "NNNNNNN"),
    ("receipt.branch", "NNNNNNN"),
    ("export.empty", "NNNNNNN"),
    ("store.unavailable", "LLLLLLL"),
    ("state.locked", "LLLLLLL"),
    ("state.newer_schema", "LLLLLLL"),
    ("state.unusable", "LLLLLLL"),
    ("envelope.malformed", "NNNNNNN"),
    ("envelope.too_large", "NNNNNNN"),
    ("bundle.malformed", "NNNNNNN"),
    ("bundle.too_large", "NNNNNNN"),
    ("typed_form.malformed", "NNNNNNN"),
    ("payload.type_unknown", "NNNNNNN"),
    ("payload.malformed", "NNNNNNN"),
    ("payload.critical_unknown", "NNNNNNN"),
    ("signature.invalid", "NNNNNNN"),
    ("signature.key_unknown", "NNNNNNN"),
    ("signature.key_revoked", "NNNNNNN"),
    ("signature.wrong_role", "NNNNNNN"),
    ("signature.threshold", "NNNNNNN"),
    ("key.weak", "NNNNNNN"),
    ("trust.missing", "NNNNNNN"),
    ("trust.conflict", "NNNNNNN"),
    ("trust.hash_mismatch", "NNNNNNN"),
    ("trust.root_skipped", "NNNNNNN"),
    ("trust.root_expired", "NNNNNNN"),
    ("trust.issuer_mismatch", "NNNNNNN"),
    ("root.invalid", "NNNNNNN"),
    ("bundle.superseded", "NNNNNNN"),
    ("bundle.conflict", "NNNNNNN"),
    ("bundle.incomplete", "NNNNNNN"),
    ("bundle.unexpected", "NNNNNNN"),
    ("license.mode_mismatch", "NNNNNNN"),
    ("license.binding_mismatch", "NNNNNNN"),
    ("license.feature_conflict", "NNNNNNN"),
    ("clock_reset.foreign", "NNNNNNN"),
    ("bundle.strands", "NNNNNNN"),
    ("ledger.broken", "NNNNNNN"),
    ("ledger.conflict", "NNNNNNN"),
    ("ledger.locked", "LLLLLLL"),
    ("ledger.rehosts_used_up", "NNNNNNN"),
    ("lint.found", "NNNNNNN"),
    ("usage.invalid", "NNNNNNN"),
    ("input.unreadable", "NNNNNNN"),
    ("output.exists", "NNNNNNN"),
    ("output.unwritable", "LLLLLLL"),
    ("output.is_key", "NNNNNNN"),
    ("key.unreadable", "NNNNNNN"),
    ("key.passphrase", "NNNNNNN"),
    ("key.module_unusable", "LLLLLLL"),
    ("template.invalid", "NNNNNNN"),
    ("config.invalid", "NNNNNNN"),
    ("agent.unreachable", "LLLLLLL"),
    ("check.failed", "LLLLLLL"),
];

/// Failure by failure, for the same calls. U: the Kernel was not reached.
const BY_FAILURE: &[(Failure, &str)] = &[
    (Failure::Refused, "UUUUUUU"),
    (Failure::Unresolved, "UUUUUUU"),
    (Failure::TimedOut, "UUUUUUU"),
    (Failure::Reset, "UUUUUUU"),
    (Failure::Untrusted, "UUUUUUU"),
    (Failure::CertificateRejected, "URRRRRR"),
    (Failure::CertificateExpired, "URRRRRR"),
    (Failure::Proxy, "UUUUUUU"),
    (Failure::ProxyCredentials, "UUUUUUU"),
    (Failure::Malformed, "UUUUUUU"),
];

/// Status by status, without a code this version knows. D: done. M: not modified.
const BY_STATUS: &[(u16, &str)] = &[
    (100, "UUUUUUU"),
    (200, "DDDDDDD"),
    (201, "DDDDDDD"),
    (204, "DDDDDDD"),
    (301, "UUUUUUU"),
    (302, "UUUUUUU"),
    (304, "UUUUMUU"),
    (307, "UUUUUUU"),
    (400, "UUUUUUU"),
    (401, "AAAAAAA"),
    (403, "AAAAAAA"),
    (404, "UUUUUUU"),
    (405, "UUUUUUU"),
    (407, "UUUUUUU"),
    (408, "LLLLLLL"),
    (409, "UUUUUUU"),
    (413, "UUUUUSU"),
    (415, "UUUUUUU"),
    (422, "UUUUUUU"),
    (425, "LLLLLLL"),
    (429, "LLLLLLL"),
    (500, "LLLLLLL"),
    (502, "LLLLLLL"),
    (503, "LLLLLLL"),
    (504, "LLLLLLL"),
    (507, "LLLLLLL"),
    (511, "UUUUUUU"),
    (599, "LLLLLLL"),
    (600, "UUUUUUU"),
    (0, "UUUUUUU"),
];

#[test]
fn every_code_means_for_every_call_what_the_table_says() {
    let table: BTreeMap<&str, &str> = BY_CODE.iter().copied().collect();
    assert_eq!(table.len(), BY_CODE.len(), "a code stands in two rows");
    assert_eq!(table.len(), Code::ALL.len(), "a row without a code, or a code without a row");
    for code in Code::ALL {
        let row = table.get(code.as_str()).unwrap_or_else(|| panic!("{code} has no row"));
        hold(row, &Outcome::problem(*code), code);
    }
}

#[test]
fn every_failure_means_for_every_call_what_the_table_says() {
    assert!(BY_FAILURE.iter().map(|(failure, _)| *failure).eq(Failure::ALL));
    for (failure, row) in BY_FAILURE {
        hold(row, &Outcome::Failed(*failure), failure);
    }
}

#[test]
fn a_status_without_a_code_is_never_the_kernels_last_word() {
    for (status, row) in BY_STATUS {
        hold(row, &Outcome::answered(*status), status);
    }
    for (status, call) in (0..=1000).flat_map(|status| Call::ALL.map(|call| (status, call))) {
        let verdict = verdict(call, &Outcome::answered(status));
        assert_ne!(verdict, Verdict::RefusedForGood, "{status} {call:?}");
        assert_ne!(verdict, Verdict::Gap, "{status} {call:?}");
    }
}

#[test]
fn no_success_carries_a_refusal_and_no_server_error_is_for_good() {
    for (code, call) in Code::ALL.iter().flat_map(|code| Call::ALL.map(|call| (*code, call))) {
        let answer = |status| Outcome::Answered { status, code: Some(code), retry_after: None };
        assert_eq!(verdict(call, &answer(200)), Verdict::Done, "{code} {call:?}");
        if code.status() >= 500 || matches!(code.status(), 408 | 429) {
            assert_eq!(verdict(call, &answer(code.status())), Verdict::RetryLater, "{code}");
        }
    }
}

#[test]
fn a_server_that_says_no_a_dead_network_an_overload_and_a_portal_are_four_things() {
    let means = |outcome| verdict(Call::Push, &outcome);
    assert_eq!(means(Outcome::problem(Code::AgentSuspended)), Verdict::AuthRejected);
    assert_eq!(means(Outcome::Failed(Failure::TimedOut)), Verdict::Unreachable);
    assert_eq!(means(Outcome::problem(Code::ServerOverloaded)), Verdict::RetryLater);
    // A portal's page comes with status 200; the body tells.
    assert_eq!(means(Outcome::Failed(Failure::Malformed)), Verdict::Unreachable);
    assert_eq!(Failure::Malformed.code(), Code::KernelAnswer);
    assert_eq!(Failure::Untrusted.code(), Code::KernelUntrusted);
    assert_eq!(Failure::TimedOut.code(), Code::KernelUnreachable);
}

#[test]
fn an_absurd_retry_after_is_bounded() {
    let wished = |seconds| {
        verdict(
            Call::Heartbeat,
            &Outcome::Answered {
                status: 503,
                code: Some(Code::ServerOverloaded),
                retry_after: Some(Duration::from_secs(seconds)),
            },
        )
    };
    assert_eq!(wished(30), Verdict::RetryAfter(Duration::from_secs(30)));
    assert_eq!(wished(0), Verdict::RetryAfter(LIMITS.retry_after_min));
    assert_eq!(wished(u64::MAX), Verdict::RetryAfter(LIMITS.retry_after_max));
}

#[test]
fn a_retry_after_changes_no_refusal() {
    for (code, call) in Code::ALL.iter().flat_map(|code| Call::ALL.map(|call| (*code, call))) {
        let bare = verdict(call, &Outcome::problem(code));
        let retry_after = Some(Duration::from_secs(5));
        let timed = Outcome::Answered { status: code.status(), code: Some(code), retry_after };
        if bare == Verdict::RetryLater {
            assert_eq!(verdict(call, &timed), Verdict::RetryAfter(Duration::from_secs(5)));
        } else {
            assert_eq!(verdict(call, &timed), bare, "{code} {call:?}");
        }
    }
}

fn hold(row: &str, outcome: &Outcome, name: &dyn std::fmt::Debug) {
    assert_eq!(row.len(), Call::ALL.len(), "{name:?}");
    for (letter, call) in row.chars().zip(Call::ALL) {
        let expected = match letter {
            'D' => Verdict::Done,
            'M' => Verdict::NotModified,
            'U' => Verdict::Unreachable,
            'L' => Verdict::RetryLater,
            'A' => Verdict::AuthRejected,
            'R' => Verdict::Renew,
            'G' => Verdict::Gap,
            'S' => Verdict::SplitSmaller,
            'N' => Verdict::RefusedForGood,
            other => panic!("{other} is no letter of the table"),
        };
        assert_eq!(verdict(call, outcome), expected, "{name:?} {call:?}");
    }
}
