//! A site and its Kernel over a hostile network, in simulated time: whatever happens, every record
//! of the site's chain reaches the Kernel, once, in order, soon after the weather clears.

mod simulation;

use std::time::Duration;

use crate::{
    reference::Weather,
    support::{at, seconds},
};
use simulation::{Disaster, Plan, Simulation};

const HOUR: Duration = seconds(3_600);
const DAY: u64 = 86_400;

#[test]
fn whatever_the_weather_every_record_reaches_the_kernel_once_and_in_order() {
    for seed in 0..40 {
        let mut simulation = Simulation::new(Plan::random(seed));
        simulation.run();
        simulation.drains_within(HOUR);
    }
}

#[test]
fn a_kernel_restored_from_a_backup_gets_back_what_it_lost() {
    for seed in 100..120 {
        let plan = Plan::random(seed)
            .with(at(DAY), Disaster::BackUpKernel)
            .with(at(3 * DAY), Disaster::RestoreKernel)
            .with(at(4 * DAY), Disaster::RestoreKernel);
        let mut simulation = Simulation::new(plan);
        simulation.run();
        simulation.drains_within(HOUR);
    }
}

#[test]
fn a_kernel_restored_at_random_moments_gets_what_is_kept_and_knows_what_it_lost() {
    let mut lost = 0;
    for seed in 500..560 {
        let mut simulation = Simulation::new(Plan::random(seed).pruning().with_random_restores());
        simulation.run();
        simulation.drains_within(HOUR);
        lost += simulation.lost();
    }
    assert!(lost > 0, "nothing was ever lost: the claim was not put to the test");
}

#[test]
fn a_site_that_prunes_presents_no_receipt_to_a_kernel_that_lost_nothing() {
    for seed in 600..620 {
        let mut simulation = Simulation::new(Plan::random(seed).pruning());
        simulation.run();
        simulation.drains_within(HOUR);
        assert_eq!(simulation.lost(), 0);
    }
}

#[test]
fn a_site_restored_from_a_snapshot_loses_nothing_and_jams_nothing() {
    for seed in 200..220 {
        let plan = Plan::random(seed)
            .with(at(DAY), Disaster::SnapSite)
            .with(at(2 * DAY), Disaster::RestoreSite)
            .with(at(4 * DAY), Disaster::RestoreSite);
        let mut simulation = Simulation::new(plan);
        simulation.run();
        simulation.drains_within(HOUR);
        simulation.kernel_keeps_all_it_confirmed();
    }
}

#[test]
fn both_restored_from_different_days_meet_again() {
    for seed in 300..320 {
        let plan = Plan::random(seed)
            .with(at(DAY), Disaster::SnapSite)
            .with(at(2 * DAY), Disaster::BackUpKernel)
            .with(at(3 * DAY), Disaster::RestoreSite)
            .with(at(4 * DAY), Disaster::RestoreKernel);
        let mut simulation = Simulation::new(plan);
        simulation.run();
        simulation.drains_within(HOUR);
    }
}

#[test]
fn a_kernel_that_is_away_for_days_is_asked_at_a_bounded_rate() {
    for seed in 400..410 {
        let away = (at(DAY), at(5 * DAY), Weather::Partition);
        let mut simulation = Simulation::new(Plan::random(seed).under(vec![away]));
        simulation.run();
        simulation.drains_within(HOUR);
        let attempts = simulation.attempts_in(at(DAY), at(5 * DAY));
        // Full jitter under 15 minutes comes to one in 7.5 minutes each for heartbeat and push;
        // 40 for the ceilings below the cap.
        assert!((600..2 * (4 * 192 + 40) * 13 / 10).contains(&attempts), "{attempts}");
    }
}

#[test]
fn a_quiet_site_sends_each_group_of_records_in_one_batch() {
    let mut simulation = Simulation::new(Plan::quiet(1));
    simulation.run();
    simulation.drains_within(seconds(15));
    let (batches, groups) = simulation.batches_and_groups();
    // A heartbeat that crosses a batch may have the Kernel ask for what is under way already.
    assert!(batches <= groups + groups / 50, "{batches} batches for {groups} groups of records");
}
