//! Which audit records are sent next.

use farhold_contract::call::{batch::HeldHead, heartbeat::Backfill};
use farhold_sync::{
    Backlog, Jitter, LIMITS, Moment, Push, PushAnswer, PushEffect, PushReport, Run, Timing, Verdict,
};
use proptest::prelude::*;

use crate::{
    reference::EPOCH,
    support::{at, head, seconds},
};

fn push(first: u64, last: u64, acknowledged: u64) -> Push {
    let backlog = Backlog { epoch: EPOCH, first, last, acknowledged };
    Push::new(Timing::default(), Jitter::seeded(1), backlog)
}

/// As [`sends`], with the record whose receipt goes with it.
fn presents(push: &mut Push, now: Moment) -> Option<(u64, u64, Option<u64>)> {
    match push.poll_effect(now) {
        Some(PushEffect::Send(run)) => Some((run.from, run.to, run.receipt)),
        None => None,
        Some(other) => panic!("{other:?}"),
    }
}

fn sends(push: &mut Push, now: Moment) -> Option<(u64, u64)> {
    match push.poll_effect(now) {
        Some(PushEffect::Send(Run { from, to, .. })) => Some((from, to)),
        None => None,
        Some(other) => panic!("{other:?}"),
    }
}

fn held(seq: u64, byte: u8) -> HeldHead {
    HeldHead { epoch: EPOCH.to_string(), seq, head: head(byte).into() }
}

fn again(from: u64, to: u64) -> Backfill {
    Backfill { epoch: EPOCH.to_string(), from, to }
}

fn missing(from: u64, to: u64) -> Option<PushEffect> {
    let epoch = EPOCH.to_string();
    Some(PushEffect::Report(PushReport::Missing { epoch, from, to }))
}

#[test]
fn a_backlog_is_drained_at_full_speed_one_batch_at_a_time() {
    let mut push = push(1, 2_500, 0);
    for (from, to) in [(1, 1_000), (1_001, 2_000), (2_001, 2_500)] {
        assert_eq!(sends(&mut push, at(1)), Some((from, to)));
        assert_eq!((sends(&mut push, at(1)), push.poll_timeout()), (None, None));
        push.handle_answer(PushAnswer::Accepted { to }, at(1));
    }
    assert_eq!((push.waiting(), push.poll_timeout()), (0, None));
}

#[test]
fn what_was_acknowledged_is_not_sent_again_after_a_restart() {
    assert_eq!(sends(&mut push(1, 2_500, 2_400), at(1)), Some((2_401, 2_500)));
    assert_eq!(sends(&mut push(1, 2_500, 2_500), at(1)), None);
}

#[test]
fn a_batch_that_bytes_cut_short_goes_on_where_it_ended() {
    let mut push = push(1, 100, 0);
    assert_eq!(sends(&mut push, at(1)), Some((1, 100)));
    push.handle_answer(PushAnswer::Accepted { to: 37 }, at(1));
    assert_eq!(sends(&mut push, at(1)), Some((38, 100)));
}

#[test]
fn a_new_record_waits_a_second_for_company_and_a_full_batch_does_not() {
    let mut push = push(1, 10, 10);
    push.handle_appended(11, at(5));
    push.handle_appended(12, Moment::from_ms(5_900));
    assert_eq!(
        (sends(&mut push, Moment::from_ms(5_999)), push.poll_timeout()),
        (None, Some(at(6)))
    );
    assert_eq!(sends(&mut push, at(6)), Some((11, 12)));
    // What comes while a batch is in flight has waited since it came, not since the answer.
    push.handle_appended(13, Moment::from_ms(6_200));
    push.handle_answer(PushAnswer::Accepted { to: 12 }, at(7));
    assert_eq!(push.poll_timeout(), Some(Moment::from_ms(7_200)));
    push.handle_appended(1_012, at(7));
    assert_eq!(sends(&mut push, at(7)), Some((13, 1_012)));
}

#[test]
fn a_batch_that_failed_is_the_next_one_sent_however_often() {
    let mut push = push(1, 5, 0);
    let mut now = at(1);
    for n in 0..200 {
        assert_eq!(sends(&mut push, now).map(|(from, _)| from), Some(1));
        let verdict = match n % 4 {
            0 => Verdict::Unreachable,
            1 => Verdict::RetryLater,
            2 => Verdict::RetryAfter(seconds(3_600)),
            _ => Verdict::AuthRejected,
        };
        push.handle_answer(PushAnswer::Failed(verdict), now);
        push.handle_appended(6 + n, now);
        now = push.poll_timeout().unwrap();
    }
    assert_eq!(sends(&mut push, now), Some((1, 205)));
}

#[test]
fn a_batch_too_large_is_halved_to_one_record_and_grows_back_later() {
    let mut push = push(1, 100_000, 0);
    let mut sizes = Vec::new();
    let PushEffect::Send(first) = push.poll_effect(at(1)).unwrap() else { panic!() };
    assert_eq!(first.bytes, LIMITS.batch_bytes);
    for _ in 0..3 {
        push.handle_answer(PushAnswer::Failed(Verdict::SplitSmaller), at(1));
        let PushEffect::Send(run) = push.poll_effect(at(1)).unwrap() else { panic!() };
        assert_eq!(run.from, 1);
        sizes.push((run.to, run.bytes >> 10));
    }
    assert_eq!(sizes, [(500, 512), (250, 256), (125, 128)]);
    let mut sent = 125;
    for _ in 0..3 * LIMITS.grow_after {
        push.handle_answer(PushAnswer::Accepted { to: sent }, at(1));
        sent = sends(&mut push, at(1)).unwrap().1;
    }
    push.handle_answer(PushAnswer::Accepted { to: sent }, at(1));
    let (from, to) = sends(&mut push, at(1)).unwrap();
    assert_eq!(to - from + 1, 1_000);
}

#[test]
fn one_record_too_large_for_the_way_blocks_is_stated_and_offered_hourly() {
    let mut push = push(1, 2, 0);
    assert_eq!(sends(&mut push, at(1)), Some((1, 2)));
    push.handle_answer(PushAnswer::Failed(Verdict::SplitSmaller), at(1));
    assert_eq!(sends(&mut push, at(1)), Some((1, 1)));
    push.handle_answer(PushAnswer::Failed(Verdict::SplitSmaller), at(1));
    let blocked = PushEffect::Report(PushReport::Blocked { after: 0 });
    assert_eq!(push.poll_effect(at(1)), Some(blocked));
    assert!(push.is_blocked());
    let again = push.poll_timeout().unwrap();
    assert!(again >= at(3_241) && again <= at(3_961));
    assert_eq!(sends(&mut push, again), Some((1, 1)));
    push.handle_answer(PushAnswer::Accepted { to: 1 }, again);
    assert!(!push.is_blocked());
    assert_eq!(sends(&mut push, again), Some((2, 2)));
}

#[test]
fn a_batch_refused_for_good_is_stated_once_and_tried_again_when_something_changes() {
    let mut push = push(1, 5, 0);
    assert!(sends(&mut push, at(1)).is_some());
    push.handle_answer(PushAnswer::Failed(Verdict::RefusedForGood), at(1));
    let blocked = PushEffect::Report(PushReport::Blocked { after: 0 });
    assert_eq!(push.poll_effect(at(1)), Some(blocked));
    push.handle_heartbeat(&[]);
    assert_eq!(push.poll_effect(at(1_000)), None);
    push.handle_changed();
    assert_eq!(sends(&mut push, at(1_000)), Some((1, 5)));
    push.handle_answer(PushAnswer::Failed(Verdict::RefusedForGood), at(1_000));
    assert_eq!(push.poll_effect(at(1_000)), None);
}

#[test]
fn a_gap_goes_back_to_the_highest_head_that_both_have() {
    let mut push = push(1, 700, 600);
    assert_eq!(sends(&mut push, at(1)), Some((601, 700)));
    let foreign = HeldHead { epoch: "00".repeat(16), seq: 590, head: head(1).into() };
    let heads = vec![held(400, 4), held(550, 9), foreign, held(900, 1), held(300, 3)];
    push.handle_answer(PushAnswer::Gap { heads }, at(1));
    assert_eq!(push.poll_effect(at(1)), Some(PushEffect::LookUpHead { seq: 550 }));
    assert_eq!((push.poll_effect(at(1)), push.poll_timeout()), (None, None));
    push.handle_head(550, Some(head(5)), at(1));
    assert_eq!(push.poll_effect(at(1)), Some(PushEffect::LookUpHead { seq: 400 }));
    push.handle_head(400, Some(head(4)), at(1));
    let rewound = PushEffect::Report(PushReport::Rewound { to: 400 });
    assert_eq!(push.poll_effect(at(1)), Some(rewound));
    assert_eq!((push.waiting(), push.acknowledged()), (300, 600));
    assert_eq!(sends(&mut push, at(1)), Some((401, 700)));
}

#[test]
fn a_gap_with_nothing_in_common_begins_at_the_first_record() {
    for heads in [vec![], vec![held(50, 1)], vec![held(9_000, 1)]] {
        let mut push = push(1, 700, 600);
        assert!(sends(&mut push, at(1)).is_some());
        push.handle_answer(PushAnswer::Gap { heads }, at(1));
        if let Some(PushEffect::LookUpHead { seq }) = push.poll_effect(at(1)) {
            push.handle_head(seq, None, at(1));
            push.poll_effect(at(1));
        }
        assert_eq!(sends(&mut push, at(1)), Some((1, 700)));
    }
}

#[test]
fn a_gap_among_records_no_longer_kept_is_stated_once_and_the_rest_is_offered() {
    let mut push = push(501, 700, 600);
    assert_eq!(sends(&mut push, at(1)), Some((601, 700)));
    push.handle_answer(PushAnswer::Gap { heads: vec![held(400, 4)] }, at(1));
    assert_eq!(push.poll_effect(at(1)), Some(PushEffect::LookUpHead { seq: 400 }));
    push.handle_head(400, None, at(1));
    assert_eq!(push.poll_effect(at(1)), Some(PushEffect::LookUpReceipt { from: 500 }));
    assert_eq!((push.poll_effect(at(1)), push.poll_timeout()), (None, None));
    push.handle_receipted(None, at(1));
    assert_eq!(push.poll_effect(at(1)), missing(1, 501));
    let rewound = PushEffect::Report(PushReport::Rewound { to: 501 });
    assert_eq!(push.poll_effect(at(1)), Some(rewound));
    // Only record 501 says what the chain came to before the next one.
    assert_eq!(sends(&mut push, at(1)), Some((502, 700)));
    // The Kernel can't take them either: hourly from now on, and not in a circle.
    push.handle_answer(PushAnswer::Gap { heads: vec![held(400, 4)] }, at(2));
    assert_eq!(push.poll_effect(at(2)), Some(PushEffect::LookUpHead { seq: 400 }));
    push.handle_head(400, None, at(2));
    assert_eq!(push.poll_effect(at(2)), Some(PushEffect::LookUpReceipt { from: 500 }));
    push.handle_receipted(None, at(2));
    let blocked = PushEffect::Report(PushReport::Blocked { after: 501 });
    assert_eq!(push.poll_effect(at(2)), Some(blocked));
    assert_eq!(push.poll_effect(at(2)), None);
    assert_eq!(sends(&mut push, at(4_000)), Some((502, 700)));
    push.handle_answer(PushAnswer::Accepted { to: 700 }, at(4_001));
    assert!(!push.is_blocked());
}

#[test]
fn a_gap_that_only_pruned_records_would_fill_is_crossed_by_the_lowest_receipt_behind_them() {
    let mut push = push(501, 700, 600);
    assert_eq!(presents(&mut push, at(1)), Some((601, 700, None)));
    push.handle_answer(PushAnswer::Gap { heads: vec![held(400, 4)] }, at(1));
    assert_eq!(push.poll_effect(at(1)), Some(PushEffect::LookUpHead { seq: 400 }));
    // The head of a record that is not kept any more stands in its receipt.
    push.handle_head(400, Some(head(4)), at(1));
    assert_eq!(push.poll_effect(at(1)), Some(PushEffect::LookUpReceipt { from: 500 }));
    push.handle_receipted(Some(520), at(1));
    assert_eq!(push.poll_effect(at(1)), missing(401, 520));
    let rewound = PushEffect::Report(PushReport::Rewound { to: 520 });
    assert_eq!(push.poll_effect(at(1)), Some(rewound));
    assert_eq!(presents(&mut push, at(1)), Some((521, 700, Some(520))));
    // An answer that is lost: the same again, with the same receipt.
    push.handle_answer(PushAnswer::Failed(Verdict::RetryLater), at(1));
    let again = push.poll_timeout().unwrap();
    assert_eq!(presents(&mut push, again), Some((521, 700, Some(520))));
    push.handle_answer(PushAnswer::Accepted { to: 650 }, again);
    assert_eq!(presents(&mut push, again), Some((651, 700, None)), "once is enough");
}

#[test]
fn a_receipt_that_is_refused_is_offered_again_hourly_and_not_in_a_circle() {
    let mut push = push(501, 700, 600);
    let (mut now, mut sent, mut presented) = (at(1), 0, 0);
    while now < at(86_400) {
        match push.poll_effect(now) {
            Some(PushEffect::Send(run)) => {
                sent += 1;
                presented += usize::from(run.receipt == Some(520));
                // It always lists a head of ours, and takes nothing that follows.
                let heads = (1..=700).map(|seq| held(seq, 1)).collect();
                push.handle_answer(PushAnswer::Gap { heads }, now);
            }
            Some(PushEffect::LookUpHead { seq }) => {
                push.handle_head(seq, (seq % 100 == 0).then_some(head(1)), now);
            }
            Some(PushEffect::LookUpReceipt { .. }) => push.handle_receipted(Some(520), now),
            Some(PushEffect::Report(_)) => {}
            None => now = push.poll_timeout().unwrap(),
        }
    }
    assert!((20..30).contains(&presented), "{presented} times in a day");
    assert!(sent < 60, "{sent} batches in a day");
    assert!(push.is_blocked());
    // A Kernel that learned to take it gets all of it.
    now = push.poll_timeout().unwrap();
    assert_eq!(presents(&mut push, now), Some((521, 700, Some(520))));
    push.handle_answer(PushAnswer::Accepted { to: 700 }, now);
    assert!(!push.is_blocked());
}

#[test]
fn what_is_pruned_before_it_is_sent_again_is_crossed_by_a_receipt_too() {
    let mut push = push(1, 3_000, 2_900);
    assert_eq!(presents(&mut push, at(1)), Some((2_901, 3_000, None)));
    push.handle_answer(PushAnswer::Gap { heads: vec![] }, at(1));
    push.poll_effect(at(1));
    assert_eq!(presents(&mut push, at(1)), Some((1, 1_000, None)));
    push.handle_answer(PushAnswer::Accepted { to: 1_000 }, at(1));
    push.handle_pruned(1_501);
    assert_eq!(push.poll_effect(at(1)), Some(PushEffect::LookUpReceipt { from: 1_500 }));
    push.handle_receipted(Some(1_500), at(1));
    assert_eq!(push.poll_effect(at(1)), missing(1_001, 1_500));
    assert_eq!(presents(&mut push, at(1)), Some((1_501, 2_500, Some(1_500))));
}

#[test]
fn a_kernel_that_answers_every_batch_with_a_gap_is_not_asked_in_a_circle() {
    let mut push = push(1, 700, 600);
    let (mut now, mut sent) = (at(1), 0);
    while now < at(86_400) {
        match push.poll_effect(now) {
            Some(PushEffect::Send(_)) => {
                sent += 1;
                let heads = (1..=700).map(|seq| held(seq, 1)).collect();
                push.handle_answer(PushAnswer::Gap { heads }, now);
            }
            // It always lists a head of ours, and never takes what follows it.
            Some(PushEffect::LookUpHead { seq }) => {
                push.handle_head(seq, (seq % 100 == 0).then_some(head(1)), now);
            }
            Some(PushEffect::LookUpReceipt { .. }) => unreachable!("nothing is pruned"),
            Some(PushEffect::Report(_)) => {}
            None => now = push.poll_timeout().unwrap(),
        }
    }
    assert!(sent < 60, "{sent} batches in a day");
}

#[test]
fn what_a_heartbeat_asks_for_again_is_sent_before_what_is_new() {
    let mut push = push(101, 3_000, 2_990);
    push.handle_heartbeat(&[again(2_000, 2_001), again(150, 1_400), again(2_995, 9_999)]);
    let mut order = Vec::new();
    while let Some((from, to)) = sends(&mut push, at(1)) {
        order.push((from, to));
        push.handle_answer(PushAnswer::Accepted { to }, at(1));
    }
    assert_eq!(order, [(150, 1_149), (1_150, 1_400), (2_000, 2_001), (2_991, 3_000)]);
}

#[test]
fn what_is_asked_for_again_and_no_longer_kept_is_stated_once() {
    let mut push = push(101, 200, 200);
    let other = Backfill { epoch: "00".repeat(16), from: 1, to: 2 };
    for n in 0..3 {
        push.handle_heartbeat(&[again(50, 103), other.clone()]);
        if n == 0 {
            assert_eq!(push.poll_effect(at(1)), missing(50, 100));
            let foreign = PushReport::Missing { epoch: other.epoch.clone(), from: 1, to: 2 };
            assert_eq!(push.poll_effect(at(1)), Some(PushEffect::Report(foreign)));
        }
        // What comes before record 101 is not known, and it was not asked for alone.
        assert_eq!(sends(&mut push, at(1)), Some((102, 103)));
        push.handle_answer(PushAnswer::Accepted { to: 103 }, at(1));
        assert_eq!(sends(&mut push, at(1)), None);
    }
}

#[test]
fn a_heartbeat_during_a_backfill_sends_nothing_twice() {
    let mut push = push(1, 200, 200);
    push.handle_heartbeat(&[again(50, 60)]);
    assert_eq!(sends(&mut push, at(1)), Some((50, 60)));
    push.handle_heartbeat(&[again(50, 60)]);
    push.handle_answer(PushAnswer::Accepted { to: 60 }, at(1));
    assert_eq!(sends(&mut push, at(1)), None);
}

#[test]
fn a_receipt_of_another_history_is_stated_and_confirms_nothing() {
    let mut push = push(1, 700, 600);
    assert!(sends(&mut push, at(1)).is_some());
    push.handle_answer(PushAnswer::Branched { seq: 650 }, at(1));
    let branched = PushEffect::Report(PushReport::Branched { seq: 650 });
    assert_eq!(push.poll_effect(at(1)), Some(branched));
    assert_eq!(push.acknowledged(), 600);
    let now = push.poll_timeout().unwrap();
    assert_eq!(sends(&mut push, now), Some((601, 700)));
}

#[test]
fn a_receipt_that_brings_nothing_on_is_no_reason_to_hurry() {
    for to in [0, 600, 701, u64::MAX] {
        let mut push = push(1, 700, 600);
        let (mut now, mut sent) = (at(1), 0);
        while now < at(3_600) {
            assert!(sends(&mut push, now).is_some());
            sent += 1;
            push.handle_answer(PushAnswer::Accepted { to }, now);
            now = push.poll_timeout().unwrap().max(now);
        }
        assert!(sent < 40, "{sent} in an hour");
        assert_eq!(push.acknowledged(), 600);
    }
}

#[test]
fn a_receipt_that_came_as_a_file_counts_like_one_of_the_kernels() {
    let mut push = push(1, 700, 600);
    push.handle_receipt(690);
    push.handle_receipt(9_000);
    assert_eq!((push.acknowledged(), push.waiting()), (690, 10));
    assert_eq!(sends(&mut push, at(1)), Some((691, 700)));
}

#[test]
fn an_answer_nobody_waits_for_confirms_what_a_receipt_says_and_hurries_nothing() {
    let mut push = push(1, 700, 600);
    assert!(sends(&mut push, at(1)).is_some());
    push.handle_answer(PushAnswer::Failed(Verdict::RetryAfter(seconds(60))), at(1));
    let until = push.poll_timeout();
    for stray in [
        PushAnswer::Accepted { to: 650 },
        PushAnswer::Failed(Verdict::Done),
        PushAnswer::Failed(Verdict::RefusedForGood),
        PushAnswer::Gap { heads: vec![held(1, 1)] },
        PushAnswer::Branched { seq: 1 },
    ] {
        push.handle_answer(stray, at(2));
        assert_eq!((push.poll_timeout(), push.poll_effect(at(2))), (until, None));
    }
    assert_eq!((push.acknowledged(), push.is_blocked()), (650, false));
    assert_eq!(sends(&mut push, until.unwrap()), Some((651, 700)));
}

#[test]
fn the_link_restored_ends_the_wait_of_a_lost_link_and_no_other() {
    let mut push = push(1, 5, 0);
    assert!(sends(&mut push, at(1)).is_some());
    push.handle_answer(PushAnswer::Failed(Verdict::RetryAfter(seconds(600))), at(1));
    push.handle_heartbeat(&[]);
    assert_eq!(sends(&mut push, at(2)), None);
    let mut now = push.poll_timeout().unwrap();
    for _ in 0..12 {
        assert!(sends(&mut push, now).is_some());
        push.handle_answer(PushAnswer::Failed(Verdict::Unreachable), now);
        now = push.poll_timeout().unwrap();
    }
    push.handle_heartbeat(&[]);
    assert!(sends(&mut push, at(1)).is_some());
}

#[derive(Debug, Clone)]
enum Said {
    Appended(u64),
    Pruned(u64),
    Receipt(u64),
    Heartbeat(Vec<(u64, u64)>),
    Accepted(u64),
    Branched(u64),
    Gap(Vec<u64>),
    Failed(Verdict),
    Head(u64, bool),
    Receipted(Option<u64>),
    Changed,
    Wait(u64),
}

fn said() -> impl Strategy<Value = Said> {
    let seq = || prop_oneof![4 => 0u64..3_000, 1 => Just(u64::MAX), 1 => Just(u64::MAX - 1)];
    prop_oneof![
        (1u64..3_000).prop_map(Said::Appended),
        (1u64..200).prop_map(Said::Pruned),
        seq().prop_map(Said::Receipt),
        prop::collection::vec((seq(), seq()), 0..4).prop_map(Said::Heartbeat),
        seq().prop_map(Said::Accepted),
        seq().prop_map(Said::Branched),
        prop::collection::vec(seq(), 0..5).prop_map(Said::Gap),
        prop_oneof![
            Just(Verdict::Done),
            Just(Verdict::NotModified),
            Just(Verdict::Unreachable),
            Just(Verdict::RetryLater),
            Just(Verdict::RetryAfter(seconds(5))),
            Just(Verdict::AuthRejected),
            Just(Verdict::Renew),
            Just(Verdict::Gap),
            Just(Verdict::SplitSmaller),
            Just(Verdict::RefusedForGood),
        ]
        .prop_map(Said::Failed),
        (seq(), any::<bool>()).prop_map(|(seq, same)| Said::Head(seq, same)),
        prop::option::of(seq()).prop_map(Said::Receipted),
        Just(Said::Changed),
        (0u64..5_000).prop_map(Said::Wait),
    ]
}

#[test]
fn what_is_pruned_while_its_receipt_is_looked_for_is_not_sent() {
    let mut push = push(1, 100, 0);
    push.handle_pruned(2);
    assert!(matches!(push.poll_effect(at(1)), Some(PushEffect::LookUpReceipt { .. })));
    push.handle_appended(101, at(1));
    push.handle_pruned(101);
    push.handle_receipted(None, at(1));
    assert!(matches!(push.poll_effect(at(9)), Some(PushEffect::Report(_))));
    assert_eq!(push.poll_effect(at(9)), None, "nothing waits");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// In any order, also an impossible one: one batch at a time, only of records that are kept,
    /// within the limits, and never stuck.
    #[test]
    fn whatever_it_is_told_it_sends_what_there_is_one_batch_at_a_time(
        story in prop::collection::vec(said(), 1..80),
    ) {
        let (mut first, mut last, mut now) = (1, 100, at(1));
        let mut push = push(first, last, 0);
        for said in story {
            match said {
                Said::Appended(to) => { last = last.max(to); push.handle_appended(to, now); }
                Said::Pruned(to) => { first = first.max(to.min(last)); push.handle_pruned(first); }
                Said::Receipt(to) => push.handle_receipt(to),
                Said::Heartbeat(runs) => {
                    let runs: Vec<_> = runs.iter().map(|(from, to)| again(*from, *to)).collect();
                    push.handle_heartbeat(&runs);
                }
                Said::Accepted(to) => push.handle_answer(PushAnswer::Accepted { to }, now),
                Said::Branched(seq) => push.handle_answer(PushAnswer::Branched { seq }, now),
                Said::Gap(heads) => {
                    let heads = heads.iter().map(|seq| held(*seq, 1)).collect();
                    push.handle_answer(PushAnswer::Gap { heads }, now);
                }
                Said::Failed(verdict) => push.handle_answer(PushAnswer::Failed(verdict), now),
                Said::Head(seq, same) => push.handle_head(seq, same.then_some(head(1)), now),
                Said::Receipted(seq) => push.handle_receipted(seq, now),
                Said::Changed => push.handle_changed(),
                Said::Wait(seconds_on) => now = now + seconds(seconds_on),
            }
            let flying = push.in_flight();
            let mut asked = false;
            for _ in 0..100 {
                match push.poll_effect(now) {
                    Some(PushEffect::Send(run)) => {
                        prop_assert!(!flying && push.in_flight());
                        prop_assert!(run.from >= first && run.from <= run.to && run.to <= last);
                        prop_assert!(run.to - run.from < LIMITS.batch_records && run.bytes > 0);
                    }
                    Some(PushEffect::LookUpHead { .. } | PushEffect::LookUpReceipt { .. }) => {
                        asked = true;
                    }
                    Some(PushEffect::Report(_)) => {}
                    None => break,
                }
            }
            prop_assert_eq!(push.poll_effect(now), None);
            if push.in_flight() || asked {
                prop_assert_eq!(push.poll_timeout(), None);
            }
            prop_assert!(push.waiting() <= last && push.acknowledged() <= last);
        }
        // However it went: a Kernel that takes everything gets everything.
        for _ in 0..200_000 {
            match push.poll_effect(now) {
                Some(PushEffect::Send(run)) => {
                    push.handle_answer(PushAnswer::Accepted { to: run.to }, now);
                }
                Some(PushEffect::LookUpHead { seq }) => push.handle_head(seq, None, now),
                Some(PushEffect::LookUpReceipt { .. }) => push.handle_receipted(None, now),
                Some(PushEffect::Report(_)) => {}
                None if push.in_flight() => {
                    push.handle_answer(PushAnswer::Failed(Verdict::RetryLater), now);
                }
                None => match push.poll_timeout() {
                    Some(next) => now = now.max(next),
                    None if push.waiting() == 0 => break,
                    // A head was asked for in the story, and not answered.
                    None => {
                        (1..=last).for_each(|seq| push.handle_head(seq, None, now));
                        push.handle_receipted(None, now);
                    }
                },
            }
        }
        prop_assert_eq!(push.waiting(), 0);
    }
}
