//! Clocks: what is to be said of a system clock that is not where the agent's own time is.
//!
//! A clock that is wrong now is told apart from one that is right again and had been ahead: the
//! mark stands where that clock had been, and nothing can be done about it here (decision 0035).

use std::time::Duration;

use farhold_contract::condition::ConditionCode;
use farhold_policy::{Now, WallStanding};
use farhold_terminal::text;

/// What the Kernel's time says of the system clock, where it is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KernelTime {
    /// It is not heard.
    Unknown,
    /// It is where the system clock is.
    Agrees,
    /// The system clock was so far from it when it was last heard; positive: ahead.
    Differs {
        /// In milliseconds.
        skew_ms: i64,
    },
}

/// The condition that stands, and its detail.
pub(super) fn told(
    wall: WallStanding,
    now: &Now,
    kernel: KernelTime,
) -> Option<(ConditionCode, String)> {
    let code = match now.is_rolled_back() {
        true => ConditionCode::ClockRollback,
        false => ConditionCode::ClockSkew,
    };
    let sentences: Vec<String> =
        [of_the_wall(wall, now, kernel), of_the_kernel(kernel)].into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| (code, sentences.join("; ")))
}

fn of_the_wall(wall: WallStanding, now: &Now, kernel: KernelTime) -> Option<String> {
    let says = format!("the system clock says {}", now.wall);
    let judged = format!("licenses are judged by {}", now.instant);
    let is_right = kernel == KernelTime::Agrees && !now.is_rolled_back();
    Some(match wall {
        // Neither is wrong.
        WallStanding::Agrees | WallStanding::AfterOff { .. } => return None,
        WallStanding::BeforeSigned { by } => {
            let is = match kernel {
                KernelTime::Agrees => {
                    "and the Kernel's time agrees with the clock: the document is dated wrong, ask the vendor"
                }
                _ => "so the clock is wrong",
            };
            let (by, floor) = (span(by), now.floor);
            format!("{says}, {by} before a date that is signed, {floor}, {is}; {judged}")
        }
        // The clock is right, by the best there is to hold it to: nothing can be done about it.
        WallStanding::SetBack { .. } | WallStanding::Corrected { .. } if is_right => return None,
        WallStanding::Corrected { settled: true, .. } if !now.is_rolled_back() => return None,
        WallStanding::SetBack { behind } => {
            let behind = span(behind);
            format!(
                "{says}, {behind} behind the agent's own time: it was set back; {judged}, so nothing is denied or gained. This ends when the clock is right again; if it is right now, with a clock reset of the vendor's: farhold request"
            )
        }
        WallStanding::Corrected { behind, .. } => {
            let behind = span(behind);
            let ends = match now.is_rolled_back() {
                true => {
                    "This ends with a clock reset of the vendor's (farhold request) or with the Kernel's time"
                }
                false => "Nothing needs to be done; this ends after 24 hours of uptime",
            };
            format!(
                "{says}, {behind} behind the agent's own time: it had been ahead and was set right; {judged}, so they end {behind} early by this clock. {ends}"
            )
        }
        WallStanding::Ahead { by } => {
            let by = span(by);
            format!("{says}, {by} ahead of the agent's own time, which follows within the minute")
        }
        WallStanding::OnProbation { by } => {
            let by = span(by);
            format!(
                "{says}, {by} ahead of the agent's own time, which follows after 24 hours of uptime or by the Kernel's word; {judged}"
            )
        }
    })
}

fn of_the_kernel(kernel: KernelTime) -> Option<String> {
    let KernelTime::Differs { skew_ms } = kernel else { return None };
    let by = span(Duration::from_millis(skew_ms.unsigned_abs()));
    let side = if skew_ms < 0 { "behind" } else { "ahead of" };
    Some(format!("the system clock was {by} {side} the Kernel's time when that was last heard"))
}

fn span(duration: Duration) -> String {
    text::span(duration).unwrap_or_else(|| "no time".to_owned())
}

#[cfg(test)]
mod tests {
    use farhold_contract::Timestamp;

    use super::*;

    const NOON: Timestamp = Timestamp::from_ms(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn behind(by: Duration) -> Now {
        Now { wall: NOON - by, ..Now::exactly(NOON) }
    }

    fn said(wall: WallStanding, now: &Now, kernel: KernelTime) -> String {
        let (code, detail) = told(wall, now, kernel).unwrap();
        format!("{}: {detail}", code.as_str())
    }

    #[test]
    fn a_clock_set_back_is_said_until_it_is_right_unless_the_kernel_says_it_is() {
        let wall = WallStanding::SetBack { behind: HOUR * 3 };
        let told_alone = said(wall, &behind(HOUR * 3), KernelTime::Unknown);
        for words in ["clock_skew: ", "3 hours behind", "was set back", "when the clock is right"] {
            assert!(told_alone.contains(words), "{words}: {told_alone}");
        }
        assert_eq!(told(wall, &behind(HOUR * 3), KernelTime::Agrees), None);
    }

    #[test]
    fn a_clock_set_right_is_said_for_a_day_and_for_as_long_as_it_is_a_rollback() {
        let wall = |behind, settled| WallStanding::Corrected { behind, settled };
        let fresh = said(wall(HOUR * 3, false), &behind(HOUR * 3), KernelTime::Unknown);
        for words in ["was set right", "end 3 hours early", "Nothing needs to be done"] {
            assert!(fresh.contains(words), "{words}: {fresh}");
        }
        assert_eq!(told(wall(HOUR * 3, true), &behind(HOUR * 3), KernelTime::Unknown), None);
        let far = said(wall(HOUR * 72, true), &behind(HOUR * 72), KernelTime::Unknown);
        assert!(far.starts_with("clock_rollback: ") && far.contains("clock reset"), "{far}");
        assert!(!far.contains("Nothing needs"), "{far}");
    }

    #[test]
    fn a_signed_date_and_the_kernel_prove_a_clock_wrong_and_the_kernel_a_date() {
        let wall = WallStanding::BeforeSigned { by: HOUR };
        let alone = said(wall, &behind(HOUR), KernelTime::Unknown);
        assert!(alone.contains("so the clock is wrong"), "{alone}");
        let agreed = said(wall, &behind(HOUR), KernelTime::Agrees);
        assert!(agreed.contains("the document is dated wrong"), "{agreed}");
        let differs = KernelTime::Differs { skew_ms: -7_200_000 };
        let kernel = said(WallStanding::Agrees, &Now::exactly(NOON), differs);
        assert!(kernel.contains("2 hours behind the Kernel's time"), "{kernel}");
        assert_eq!(told(WallStanding::Agrees, &Now::exactly(NOON), KernelTime::Agrees), None);
    }
}
