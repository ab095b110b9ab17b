//! When a certificate is renewed.

use farhold_contract::Timestamp;
use farhold_sync::{Jitter, Presented, Renewal, RenewalEffect, Timing, Validity, Verdict};

use crate::support::{at, seconds};

const DAY: u64 = 86_400;

fn validity() -> Validity {
    Validity {
        not_before: "2026-11-01T00:00:00Z".parse().unwrap(),
        not_after: "2026-12-01T00:00:00Z".parse().unwrap(),
    }
}

fn renewal(seed: u64, wall: &str) -> Renewal {
    let wall: Timestamp = wall.parse().unwrap();
    Renewal::new(Timing::default(), Jitter::seeded(seed), validity(), wall, at(1_000))
}

#[test]
fn a_certificate_is_renewed_at_two_thirds_of_its_life_give_or_take_a_tenth() {
    let mut ages: Vec<u64> = (0..300)
        .map(|seed| {
            let due = renewal(seed, "2026-11-02T00:00:00Z").poll_timeout().unwrap();
            due.saturating_since(at(1_000)).as_secs() + DAY
        })
        .collect();
    ages.sort_unstable();
    assert!(ages[0] >= 18 * DAY && ages[0] < 18 * DAY + DAY / 4, "{}", ages[0]);
    assert!(ages[299] <= 22 * DAY && ages[299] > 22 * DAY - DAY / 4, "{}", ages[299]);
}

#[test]
fn an_expired_certificate_is_renewed_at_once_without_showing_it() {
    let mut renewal = renewal(1, "2027-03-01T00:00:00Z");
    assert_eq!(renewal.poll_effect(at(1_000)), Some(RenewalEffect::Renew(Presented::Nothing)));
    assert_eq!(renewal.poll_effect(at(9_000)), None); // one in flight
}

#[test]
fn a_certificate_not_yet_valid_by_a_wrong_clock_waits_no_longer_than_its_own_life() {
    let renewal = renewal(1, "1970-01-01T00:00:00Z");
    let wait = renewal.poll_timeout().unwrap().saturating_since(at(1_000));
    assert!(wait <= seconds(22 * DAY), "{wait:?}");
}

#[test]
fn a_clock_that_is_set_right_moves_the_renewal() {
    let mut renewal = renewal(1, "1970-01-01T00:00:00Z");
    assert_eq!(renewal.poll_effect(at(1_010)), None);
    renewal.handle_wall("2026-11-28T00:00:00Z".parse().unwrap(), at(1_010));
    assert_eq!(renewal.poll_effect(at(1_010)), Some(RenewalEffect::Renew(Presented::Certificate)));
}

#[test]
fn a_rejected_certificate_is_renewed_at_once() {
    let mut renewal = renewal(1, "2026-11-02T00:00:00Z");
    renewal.handle_rejected(at(1_001));
    assert_eq!(renewal.poll_effect(at(1_001)), Some(RenewalEffect::Renew(Presented::Nothing)));
}

#[test]
fn a_renewal_that_is_refused_with_the_certificate_is_tried_without_it() {
    let mut renewal = renewal(1, "2026-11-28T00:00:00Z");
    assert_eq!(renewal.poll_effect(at(1_000)), Some(RenewalEffect::Renew(Presented::Certificate)));
    renewal.handle_failed(Verdict::Renew, at(1_000));
    let now = renewal.poll_timeout().unwrap();
    assert!(now <= at(1_001));
    assert_eq!(renewal.poll_effect(now), Some(RenewalEffect::Renew(Presented::Nothing)));
}

#[test]
fn no_wrong_clock_and_no_kernel_makes_a_circle_of_renewals() {
    // The wall is years ahead: whatever the Kernel issues looks expired. The Kernel, besides,
    // rejects what it issues, on every call.
    let mut renewal = renewal(1, "2031-01-01T00:00:00Z");
    let (mut now, mut renewals) = (at(1_000), 0);
    while now < at(1_000 + DAY) {
        if renewal.poll_effect(now).is_some() {
            renewals += 1;
            renewal.handle_renewed(validity(), now);
            renewal.handle_wall("2031-01-01T00:00:00Z".parse().unwrap(), now);
        }
        renewal.handle_rejected(now);
        now = now + seconds(1);
    }
    assert!((23..=25).contains(&renewals), "{renewals}");
}

#[test]
fn a_certificate_without_a_life_makes_no_circle_either() {
    let mut renewal = renewal(1, "2026-11-28T00:00:00Z");
    let none = Validity { not_after: validity().not_before, ..validity() };
    let (mut now, mut renewals) = (at(1_000), 0);
    while now < at(2_000) {
        if renewal.poll_effect(now).is_some() {
            renewals += 1;
            renewal.handle_renewed(none, now);
        }
        now = now + seconds(1);
    }
    assert!(renewals <= 101, "{renewals}");
}

#[test]
fn a_failed_renewal_is_tried_again_by_backoff() {
    let mut renewal = renewal(1, "2026-11-28T00:00:00Z");
    let (mut now, mut tries) = (at(1_000), 0);
    while now < at(1_000 + DAY) {
        assert!(renewal.poll_effect(now).is_some());
        tries += 1;
        renewal.handle_failed(Verdict::Unreachable, now);
        now = renewal.poll_timeout().unwrap().max(now);
    }
    assert!((100..400).contains(&tries), "{tries} in a day");
    let earlier = renewal.poll_timeout().unwrap();
    renewal.handle_restored();
    assert!(renewal.poll_timeout().unwrap() < earlier);
}
