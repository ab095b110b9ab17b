//! The clocks in a sentence each, with this site's own figures (`bundle.md` §5).

use std::time::Duration;

use farhold_contract::Timestamp;
use farhold_terminal::text;

use crate::admin::answer::ClockAnswer;

/// Below this two clocks agree: the mark is written once a second, and an answer takes its time.
const AGREES: Duration = Duration::from_secs(60);

/// Wall, mark, floor and now, a line each.
pub(super) fn described(clock: &ClockAnswer) -> String {
    let sentences = [wall(clock), mark(clock), floor(clock), now(clock)];
    sentences.map(|sentence| format!("  {sentence}\n")).concat()
}

fn wall(clock: &ClockAnswer) -> String {
    let ClockAnswer { wall, mark, floor, .. } = clock;
    let says = format!("The system clock says {wall}");
    match (distance(*mark, *wall), distance(*wall, *mark), clock.wall_is.as_str()) {
        (_, _, "before_signed") => {
            let by = distance(*floor, *wall).unwrap_or_default();
            format!("{says}, {by} before the newest signed date: one of the two is wrong.")
        }
        (Some(behind), _, "corrected") => format!(
            "{says}, {behind} behind the agent's own time: it had been ahead, and was set right. Nothing is denied because of it but what ends: licenses end {behind} early by this clock."
        ),
        (Some(behind), _, "set_back") => format!(
            "{says}, {behind} behind the agent's own time: it was set back. Nothing is denied because of it, and nothing is gained."
        ),
        (Some(behind), ..) => format!(
            "{says}, {behind} behind the agent's own time; nothing is denied because of it."
        ),
        (None, Some(ahead), "after_off") => format!(
            "{says}, {ahead} ahead of the agent's own time: the machine may have been off as long. Licenses and quotas go by it."
        ),
        (None, Some(ahead), "on_probation") => format!(
            "{says}, {ahead} ahead of the agent's own time: it is on probation until the machine has run for 24 hours without another step, or the Kernel agrees. Quotas may turn late meanwhile."
        ),
        (None, Some(ahead), _) => format!(
            "{says}, {ahead} ahead of the agent's own time, which follows within the minute."
        ),
        (None, None, _) => format!("{says}, and the agent's own time agrees."),
    }
}

fn mark(clock: &ClockAnswer) -> String {
    let says = format!(
        "The agent's own time is {}: it runs with the machine and is never set back by it",
        clock.mark
    );
    match clock.wall_is.as_str() {
        "corrected" => format!(
            "{says}. The time the machine is off brings the system clock up to it, a clock reset of the vendor's (farhold request) sets it down, and so does the Kernel's time where it is more than a day."
        ),
        _ => format!("{says}."),
    }
}

fn floor(clock: &ClockAnswer) -> String {
    let Some(by) = &clock.floor_by else {
        return "No signed document proves a date yet.".to_owned();
    };
    let says = format!("The newest signed date is {}, of {}", clock.floor, text::plain(by));
    match distance(clock.floor, clock.wall.max(clock.mark)) {
        Some(ahead) => format!(
            "{says}: {ahead} ahead of both clocks, so that time has come and the clocks are behind it."
        ),
        None => format!("{says}: no clock that is set behind it is believed."),
    }
}

fn now(clock: &ClockAnswer) -> String {
    let by = if clock.now == clock.wall {
        "the system clock"
    } else if clock.now == clock.mark {
        "the agent's own time"
    } else {
        "the signed date"
    };
    let judged = format!("Licenses are judged by {}, the latest of the three: {by}.", clock.now);
    match counted_from(clock) {
        Some(counted) => format!("{judged} {counted}"),
        None => judged,
    }
}

/// From when ends are counted, where that is not what the system clock says.
pub(in crate::cli) fn counted_from(clock: &ClockAnswer) -> Option<String> {
    let ahead = distance(clock.now, clock.wall)?;
    Some(format!(
        "How far off an end is, is counted from {}, {ahead} after what the system clock says.",
        clock.now
    ))
}

/// How far one is after the other, where that is worth saying.
fn distance(later: Timestamp, earlier: Timestamp) -> Option<String> {
    let distance = later.saturating_since(earlier);
    text::span(distance).filter(|_| distance >= AGREES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_ms(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn clock(wall: Timestamp, mark: Timestamp, floor: Timestamp) -> ClockAnswer {
        ClockAnswer {
            wall,
            mark,
            floor,
            now: wall.max(mark).max(floor),
            floor_by: Some("root 1".to_owned()),
            wall_is: String::new(),
            rolled_back: mark.saturating_since(wall) > HOUR * 24,
            on_probation: wall.saturating_since(mark) > HOUR * 24,
        }
    }

    #[track_caller]
    fn says(clock: &ClockAnswer, words: &[&str]) {
        let told = described(clock);
        assert_eq!(told.lines().count(), 4, "{told}");
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
    }

    #[test]
    fn clocks_that_agree_say_so() {
        let at = clock(NOON, NOON, NOON - HOUR);
        says(&at, &["and the agent's own time agrees", "of root 1", "three: the system clock"]);
    }

    #[test]
    fn a_clock_that_is_wrong_is_told_with_its_distance_and_what_follows() {
        let behind = clock(NOON - HOUR * 3, NOON, NOON - HOUR * 9);
        says(&behind, &["3 hours behind", "nothing is denied", "three: the agent's own time"]);
        let back = ClockAnswer {
            wall_is: "set_back".to_owned(),
            ..clock(NOON - HOUR * 50, NOON, NOON - HOUR * 90)
        };
        says(&back, &["2 days behind", "it was set back", "2 days after what the system clock"]);
        says(&clock(NOON + HOUR * 2, NOON, NOON), &["2 hours ahead", "follows"]);
        let ahead = ClockAnswer {
            wall_is: "on_probation".to_owned(),
            ..clock(NOON + HOUR * 48, NOON, NOON)
        };
        says(&ahead, &["2 days ahead", "on probation"]);
        let off = ClockAnswer {
            wall_is: "after_off".to_owned(),
            on_probation: false,
            ..clock(NOON + HOUR * 63, NOON, NOON)
        };
        says(&off, &["2 days ahead", "may have been off", "quotas go by it"]);
    }

    #[test]
    fn a_clock_that_was_set_right_is_not_said_to_be_set_back() {
        let right = ClockAnswer {
            wall_is: "corrected".to_owned(),
            ..clock(NOON - HOUR * 3, NOON, NOON - HOUR * 9)
        };
        says(
            &right,
            &["3 hours behind", "set right", "end 3 hours early", "clock reset", "is off"],
        );
        assert!(!described(&right).contains("set back. Nothing"));
        assert_eq!(counted_from(&clock(NOON, NOON, NOON - HOUR)), None, "they agree");
    }

    #[test]
    fn a_signed_date_ahead_of_both_clocks_decides_and_is_named() {
        let at = clock(NOON, NOON, NOON + HOUR * 72);
        says(&at, &["3 days ahead of both clocks", "three: the signed date"]);
        let none = ClockAnswer { floor_by: None, ..clock(NOON, NOON, Timestamp::MIN) };
        says(&none, &["No signed document proves a date yet."]);
    }
}
