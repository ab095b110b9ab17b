//! Ten thousand sites that lose one Kernel at the same moment.

use std::{cmp::Reverse, collections::BinaryHeap};

use farhold_sync::{Jitter, Moment, Pace, Timing, Verdict};

use crate::support::{at, seconds};

const SITES: u64 = 10_000;

/// Attempts in each second; all sites are heard until `lost`, and again from `healed`.
///
/// A heartbeat that is under way at `lost` fails then: to be hard, every site has one.
fn attempts(lost: u64, healed: u64, end: u64) -> Vec<u32> {
    let mut each_second = vec![0; end as usize];
    let mut sites: Vec<Pace> = Vec::new();
    let mut next = BinaryHeap::new();
    for n in 0..SITES {
        let mut pace = Pace::new(Timing::default(), Jitter::seeded(n), at(0));
        let first = pace.poll_timeout().unwrap();
        assert!(pace.poll_effect(first).is_some());
        pace.handle_answer(Verdict::Done, Some(60), first);
        // Somebody wants one sent just then, at every site, and its connection breaks.
        pace.handle_wanted(at(lost));
        assert!(pace.poll_effect(at(lost)).is_some());
        pace.handle_answer(Verdict::Unreachable, None, at(lost));
        next.push(Reverse((pace.poll_timeout().unwrap(), n)));
        sites.push(pace);
    }
    while let Some(Reverse((now, n))) = next.pop() {
        let second = (now.as_ms() / 1_000) as usize;
        if second >= each_second.len() {
            break;
        }
        each_second[second] += 1;
        let pace = &mut sites[n as usize];
        assert!(pace.poll_effect(now).is_some());
        let heard = now >= at(healed);
        let verdict = if heard { Verdict::Done } else { Verdict::Unreachable };
        pace.handle_answer(verdict, heard.then_some(60), now);
        next.push(Reverse((pace.poll_timeout().unwrap(), n)));
    }
    each_second
}

fn peak_and_mean(each_second: &[u32]) -> (f64, f64) {
    let peak = each_second.iter().copied().max().unwrap();
    let sum: u32 = each_second.iter().sum();
    (f64::from(peak), f64::from(sum) / each_second.len() as f64)
}

#[test]
fn a_short_outage_noticed_by_all_at_once_makes_no_wave() {
    let attempts = attempts(60, 120, 600);
    let (peak, mean) = peak_and_mean(&attempts[60..600]);
    assert!(peak / mean < 3.0, "peak {peak}, mean {mean}");
    // Never more than four times what healthy sites ask anyway, one in 60 s each.
    assert!(peak < 4.0 * SITES as f64 / 60.0, "peak {peak}");
}

#[test]
fn ten_thousand_sites_come_back_after_a_long_outage_without_a_wave() {
    let (lost, healed) = (60, 60 + 4 * 3_600);
    let attempts = attempts(lost, healed, healed + 1_800);
    let (peak, mean) = peak_and_mean(&attempts[healed as usize..]);
    assert!(peak / mean < 2.0, "peak {peak}, mean {mean}");
    // During it, a site asks once in 7.5 minutes.
    let settled = &attempts[7_200..healed as usize];
    let (peak, mean) = peak_and_mean(settled);
    assert!(peak < 60.0 && mean < 30.0, "peak {peak}, mean {mean}");
}

#[test]
fn an_overloaded_kernel_that_names_a_time_does_not_get_all_at_that_time() {
    let mut each_second = vec![0; 120];
    for n in 0..SITES {
        let mut pace = Pace::new(Timing::default(), Jitter::seeded(n), Moment::BOOT);
        let now = pace.poll_timeout().unwrap();
        assert!(pace.poll_effect(now).is_some());
        pace.handle_answer(Verdict::RetryAfter(seconds(60)), None, at(20));
        let second = pace.poll_timeout().unwrap().saturating_since(at(20)).as_secs();
        each_second[second as usize] += 1;
    }
    assert!(each_second[..60].iter().all(|attempts| *attempts == 0));
    let (peak, mean) = peak_and_mean(&each_second[60..90]);
    assert!(peak / mean < 1.5, "peak {peak}, mean {mean}");
}
