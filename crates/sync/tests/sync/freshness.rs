//! Online, offline, refused.

use farhold_sync::{Freshness, Link, LinkChange};

use crate::support::{at, seconds};

#[test]
fn a_site_is_offline_until_its_first_heartbeat_and_after_three_are_missed() {
    let mut freshness = Freshness::new(None, seconds(60), at(100));
    assert_eq!(freshness.link(), Link::Offline);
    assert!(freshness.is_offline(at(100)));
    freshness.handle_accepted(seconds(60), at(110));
    let online = LinkChange { from: Link::Offline, to: Link::Online, after: seconds(10) };
    assert_eq!(freshness.poll_effect(), Some(online));
    assert_eq!(freshness.poll_effect(), None);
    assert_eq!(freshness.poll_timeout(), Some(at(290)));
    freshness.handle_timeout(at(289));
    assert_eq!((freshness.link(), freshness.poll_effect()), (Link::Online, None));
    freshness.handle_timeout(at(290));
    let offline = LinkChange { from: Link::Online, to: Link::Offline, after: seconds(180) };
    assert_eq!(freshness.poll_effect(), Some(offline));
    assert_eq!(freshness.poll_timeout(), None);
}

#[test]
fn a_restart_within_the_same_boot_stays_online() {
    let freshness = Freshness::new(Some(at(90)), seconds(60), at(100));
    assert_eq!((freshness.link(), freshness.poll_timeout()), (Link::Online, Some(at(270))));
    let stale = Freshness::new(Some(at(90)), seconds(60), at(270));
    assert_eq!(stale.link(), Link::Offline);
}

#[test]
fn the_interval_in_force_is_the_last_one_named() {
    let mut freshness = Freshness::new(None, seconds(60), at(0));
    freshness.handle_accepted(seconds(3_600), at(10));
    assert!(!freshness.is_offline(at(10_809)));
    assert!(freshness.is_offline(at(10_810)));
}

#[test]
fn a_refused_agent_is_no_offline_one_until_its_time_is_up() {
    let mut freshness = Freshness::new(None, seconds(60), at(0));
    freshness.handle_accepted(seconds(60), at(0));
    freshness.handle_rejected(at(60));
    assert_eq!(freshness.link(), Link::AuthRejected);
    assert!(!freshness.is_offline(at(179)));
    freshness.handle_timeout(at(500));
    assert_eq!(freshness.link(), Link::AuthRejected);
    assert!(freshness.is_offline(at(500)));
    freshness.handle_accepted(seconds(60), at(600));
    assert_eq!(freshness.link(), Link::Online);
}

#[test]
fn time_offline_is_counted_to_the_moment_however_late_somebody_looks() {
    let mut freshness = Freshness::new(None, seconds(60), at(100));
    assert_eq!(freshness.offline_total(at(105)), seconds(5));
    freshness.handle_accepted(seconds(60), at(110)); // 10 s so far
    assert_eq!(freshness.offline_total(at(290)), seconds(10));
    assert_eq!(freshness.offline_total(at(1_000)), seconds(720)); // lost at 290
    freshness.handle_accepted(seconds(60), at(2_290)); // the machine slept: 2,000 s more
    assert_eq!(freshness.offline_total(at(2_300)), seconds(2_010));
}
