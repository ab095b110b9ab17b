//! When the bundle is pulled.

use farhold_sync::{Jitter, Pull, PullAnswer, PullEffect, Timing, Verdict};

use crate::support::{at, digest, seconds};

fn pull(last: u8) -> Pull {
    Pull::new(Timing::default(), Jitter::seeded(1), Some(digest(last)))
}

const fn with_etag(byte: u8) -> Option<PullEffect> {
    Some(PullEffect::Pull { etag: Some(digest(byte)) })
}

#[test]
fn a_bundle_is_pulled_when_the_heartbeat_names_another() {
    let mut pull = pull(1);
    assert_eq!((pull.poll_effect(at(1)), pull.poll_timeout()), (None, None));
    pull.handle_heartbeat(Some(digest(1)));
    assert_eq!(pull.poll_effect(at(1)), None);
    pull.handle_heartbeat(None);
    assert_eq!(pull.poll_effect(at(1)), None);
    pull.handle_heartbeat(Some(digest(2)));
    assert_eq!(pull.poll_effect(at(1)), with_etag(1));
    pull.handle_heartbeat(Some(digest(2)));
    assert_eq!(pull.poll_effect(at(1)), None); // one in flight
    pull.handle_answer(PullAnswer::Imported { digest: digest(2) }, at(2));
    assert_eq!((pull.poll_effect(at(2)), pull.last()), (None, Some(digest(2))));
}

#[test]
fn a_first_bundle_is_pulled_without_an_etag() {
    let mut pull = Pull::new(Timing::default(), Jitter::seeded(1), None);
    pull.handle_heartbeat(Some(digest(1)));
    assert_eq!(pull.poll_effect(at(1)), Some(PullEffect::Pull { etag: None }));
}

#[test]
fn a_kernel_whose_word_and_bundle_differ_is_asked_once_a_heartbeat() {
    let mut pull = pull(1);
    for n in 0..5 {
        pull.handle_heartbeat(Some(digest(9)));
        assert!(pull.poll_effect(at(n)).is_some());
        let answer = if n % 2 == 0 {
            PullAnswer::Imported { digest: digest(2) }
        } else {
            PullAnswer::Failed(Verdict::NotModified)
        };
        pull.handle_answer(answer, at(n));
        assert_eq!(pull.poll_effect(at(n)), None);
    }
}

#[test]
fn a_refused_bundle_is_not_pulled_again_for_an_hour_or_until_another_is_named() {
    let mut pull = pull(1);
    pull.handle_heartbeat(Some(digest(2)));
    assert!(pull.poll_effect(at(0)).is_some());
    pull.handle_answer(PullAnswer::Refused { digest: digest(2) }, at(0));
    assert_eq!(pull.refused(), Some(digest(2)));
    for minute in 1..60 {
        pull.handle_heartbeat(Some(digest(2)));
        assert_eq!(pull.poll_effect(at(minute * 60)), None);
    }
    assert_eq!(pull.poll_timeout(), Some(at(3_600)));
    assert_eq!(pull.poll_effect(at(3_600)), with_etag(1));
    pull.handle_answer(PullAnswer::Refused { digest: digest(2) }, at(3_600));
    pull.handle_heartbeat(Some(digest(3)));
    assert_eq!(pull.poll_effect(at(3_601)), with_etag(1));
    pull.handle_answer(PullAnswer::Imported { digest: digest(3) }, at(3_602));
    assert_eq!(pull.refused(), None);
}

#[test]
fn a_root_installed_by_hand_gives_a_refused_bundle_another_chance() {
    let mut pull = pull(1);
    pull.handle_heartbeat(Some(digest(2)));
    assert!(pull.poll_effect(at(0)).is_some());
    pull.handle_answer(PullAnswer::Refused { digest: digest(2) }, at(0));
    pull.handle_changed();
    assert_eq!(pull.poll_effect(at(1)), with_etag(1));
}

#[test]
fn a_pull_that_failed_comes_back_with_the_link() {
    let mut pull = pull(1);
    pull.handle_heartbeat(Some(digest(2)));
    let mut now = at(0);
    for _ in 0..12 {
        assert!(pull.poll_effect(now).is_some());
        pull.handle_answer(PullAnswer::Failed(Verdict::Unreachable), now);
        now = pull.poll_timeout().unwrap();
    }
    assert!(pull.poll_effect(now).is_some());
    pull.handle_answer(PullAnswer::Failed(Verdict::RetryAfter(seconds(60))), now);
    pull.handle_heartbeat(Some(digest(2)));
    assert_eq!(pull.poll_effect(now), None); // the Kernel said when
    let now = pull.poll_timeout().unwrap();
    assert!(pull.poll_effect(now).is_some());
    pull.handle_answer(PullAnswer::Failed(Verdict::Unreachable), now);
    pull.handle_heartbeat(Some(digest(2)));
    assert!(pull.poll_effect(now).is_some());
}
