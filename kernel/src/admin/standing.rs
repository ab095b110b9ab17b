//! Standing: what is taken away from an organization, a runtime or an agent, and given back.

use farhold_api::{Limits, Refusal};
use farhold_contract::{
    Code,
    call::heartbeat::{KernelStanding, KernelStatus},
};

use super::answer::StandingRequest;

/// Most features one standing denies: each agent is told all of them at each heartbeat.
const FEATURES_MAX: usize = 256;

/// What is asked for, held to its own sense.
///
/// # Errors
/// `usage.invalid`: features without `limited`, or `limited` without features.
pub(super) fn meant(asked: StandingRequest) -> Result<KernelStanding, Refusal> {
    let StandingRequest { status, features_denied } = asked;
    let wrong = |what: &str| Err(Refusal::new(Code::UsageInvalid, what));
    match status {
        KernelStatus::Limited if features_denied.is_empty() => {
            return wrong("limited denies at least one feature");
        }
        KernelStatus::Active | KernelStatus::Suspended if !features_denied.is_empty() => {
            return wrong("only limited denies features");
        }
        _ => {}
    }
    if features_denied.len() > FEATURES_MAX {
        return wrong("at most 256 features are denied at once");
    }
    let is_name = |name: &String| {
        (1..=Limits::STANDARD.text_bytes).contains(&name.len())
            && !name.chars().any(char::is_control)
    };
    if !features_denied.iter().all(is_name) {
        return wrong("a feature's name has 1 to 256 bytes and no control characters");
    }
    Ok(KernelStanding { status, features_denied })
}

/// What happened to whoever is held so, as the last word of an event's type.
pub(super) const fn event(
    status: KernelStatus,
    [suspended, limited, resumed]: [&'static str; 3],
) -> &'static str {
    match status {
        KernelStatus::Suspended => suspended,
        KernelStatus::Limited => limited,
        KernelStatus::Active => resumed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: KernelStatus, features: &[&str]) -> StandingRequest {
        let features_denied = features.iter().map(|name| (*name).to_owned()).collect();
        StandingRequest { status, features_denied }
    }

    #[test]
    fn limited_names_features_and_nothing_else_does() {
        assert!(meant(asked(KernelStatus::Limited, &["exams"])).is_ok());
        assert!(meant(asked(KernelStatus::Suspended, &[])).is_ok());
        assert!(meant(asked(KernelStatus::Active, &[])).is_ok());
        for wrong in [
            asked(KernelStatus::Limited, &[]),
            asked(KernelStatus::Active, &["exams"]),
            asked(KernelStatus::Suspended, &["exams"]),
            asked(KernelStatus::Limited, &[""]),
            asked(KernelStatus::Limited, &["a\nb"]),
            asked(KernelStatus::Limited, &["x".repeat(257).as_str()]),
        ] {
            assert_eq!(meant(wrong).unwrap_err().code, Code::UsageInvalid);
        }
    }
}
