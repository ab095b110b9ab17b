//! `clock-plausible`: the system clock agrees with the agent's own time and with what is signed.

use std::time::Duration;

use crate::admin::answer::ClockAnswer;

use super::{Site, Verdict, told};

pub(super) const ID: &str = "clock-plausible";

/// Beyond this the agent stops following the wall at once (bundle.md §5).
const FAR: Duration = Duration::from_secs(24 * 60 * 60);
/// What the agent calls a clock that is behind because it had been ahead.
/// A machine that was off is as far ahead as it was off, and right.
const AFTER_OFF: &str = "after_off";
const CORRECTED: &str = "corrected";
/// More than drift and rounding; less than any license notices.
const NEAR: Duration = Duration::from_secs(5 * 60);

const NEXT: &str = "Correct the clock and its synchronization: timedatectl status.";
/// For a clock that is right again and had been far ahead.
const RESET: &str = "Ask the vendor for a clock reset: farhold request.";

pub(super) fn examine(site: &Site) -> Verdict {
    match site.status() {
        Ok(status) => judge(&status.clock),
        Err(error) => Verdict::failed(told(error), "Follow the next step of agent-running."),
    }
}

fn judge(clock: &ClockAnswer) -> Verdict {
    let behind = clock.mark.saturating_since(clock.wall);
    let ahead = match clock.wall_is == AFTER_OFF {
        true => Duration::ZERO,
        false => clock.wall.saturating_since(clock.mark),
    };
    let before_signed = clock.floor.saturating_since(clock.wall);
    if before_signed > FAR {
        let floor = clock.floor;
        let detail =
            format!("the clock says {}, but a document signed {floor} is here", clock.wall);
        return Verdict::failed(detail, NEXT);
    }
    if behind > FAR {
        let detail = format!(
            "the clock says {}, {} behind what this machine has seen; nothing is denied for it",
            clock.wall,
            hours(behind)
        );
        let next = if clock.wall_is == CORRECTED { RESET } else { NEXT };
        return Verdict::failed(detail, next);
    }
    if behind > NEAR && before_signed <= NEAR && clock.wall_is == CORRECTED {
        return Verdict::ok(format!(
            "the clock says {} and was set right; it had been ahead, and licenses are judged by {}",
            clock.wall, clock.now
        ));
    }
    if behind > NEAR || ahead > NEAR || before_signed > NEAR {
        let detail = format!(
            "the clock says {}, the agent's own time is {}, licenses are judged by {}",
            clock.wall, clock.mark, clock.now
        );
        return Verdict::warning(detail, NEXT);
    }
    Verdict::ok(format!("the clock says {} and nothing contradicts it", clock.wall))
}

fn hours(duration: Duration) -> String {
    format!("{} hours", duration.as_secs() / 3600)
}

#[cfg(test)]
mod tests {
    use farhold_contract::Timestamp;

    use super::*;
    use crate::doctor::Outcome;

    const NOON: Timestamp = Timestamp::from_ms(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn outcome(wall: Timestamp, mark: Timestamp, floor: Timestamp) -> Outcome {
        judge(&clock(wall, mark, floor)).outcome
    }

    fn clock(wall: Timestamp, mark: Timestamp, floor: Timestamp) -> ClockAnswer {
        let now = wall.max(mark).max(floor);
        ClockAnswer {
            wall,
            mark,
            floor,
            now,
            floor_by: None,
            wall_is: String::new(),
            rolled_back: false,
            on_probation: false,
        }
    }

    #[test]
    fn a_clock_that_was_set_right_is_fine_and_one_that_was_days_ahead_needs_a_reset() {
        let right = |behind: Duration| {
            let wall_is = CORRECTED.to_owned();
            judge(&ClockAnswer { wall_is, ..clock(NOON - behind, NOON, NOON - FAR * 9) })
        };
        assert_eq!(right(HOUR * 3).outcome, Outcome::Ok);
        let far = right(HOUR * 48);
        assert_eq!((far.outcome, far.next.as_deref()), (Outcome::Failed, Some(RESET)));
    }

    #[test]
    fn a_clock_that_agrees_is_fine_and_one_that_contradicts_a_signature_is_not() {
        assert_eq!(outcome(NOON, NOON, NOON - FAR), Outcome::Ok);
        assert_eq!(outcome(NOON - HOUR, NOON, NOON - FAR), Outcome::Warning);
        assert_eq!(outcome(NOON + HOUR * 48, NOON, NOON - FAR), Outcome::Warning);
        assert_eq!(outcome(NOON - HOUR * 25, NOON, NOON - HOUR * 100), Outcome::Failed);
        assert_eq!(outcome(NOON, NOON, NOON + HOUR * 25), Outcome::Failed);
    }
}
