//! Chains at the Kernel (bundle.md §6.7): known records, second successors, gaps.

use std::collections::{BTreeMap, BTreeSet};

use farhold_audit::{ChainPosition, Epoch, Head, Opening, Previous};
use farhold_kernel::storage::{Storage, Taken, no_trail};

use crate::{
    audit_site::{Site, accepted, every, forks, found, held, verified},
    world::{World, own_chain, tenant_id},
};

#[tokio::test]
async fn a_batch_sent_again_is_known_whole_or_in_part_and_changes_nothing() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 30);
    assert_eq!(site.send(storage, 1..=10).await, accepted(10, 0, false, site.after(10)));
    assert_eq!(site.send(storage, 1..=10).await, accepted(0, 10, false, site.after(10)));
    assert_eq!(site.send(storage, 4..=7).await, accepted(0, 4, false, site.after(7)));
    assert_eq!(site.send(storage, 6..=20).await, accepted(10, 5, false, site.after(20)));
    assert_eq!(site.send(storage, 21..=30).await, accepted(10, 0, false, site.after(30)));
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    assert_eq!(heads.len(), 1);
    assert_eq!((heads[0].agent, heads[0].tip), (Some(site.agent), site.at()));
    assert_eq!(verified(storage, &heads[0], 7).await.len(), 30);
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 30);
}

#[tokio::test]
async fn a_site_at_600_restored_at_500_and_run_on_loses_nothing_and_is_one_fork() {
    let world = World::new();
    let storage = &world.storage;
    let before = Site::of(tenant_id(), 600);
    for first in (1..=600).step_by(100) {
        before.send(storage, first..=first + 99).await;
    }

    let mut restored = before.restored_at(500);
    restored.run_on(120);
    // The snapshot was receipted up to 480: the first batch overlaps what is held.
    let taken = restored.send(storage, 481..=560).await;
    assert_eq!(taken, accepted(60, 20, true, restored.after(560)));
    assert_eq!(
        restored.send(storage, 481..=560).await,
        accepted(0, 80, false, restored.after(560)),
        "the answer was lost: sent again it is known"
    );
    assert_eq!(
        restored.send(storage, 561..=620).await,
        accepted(60, 0, false, restored.after(620)),
        "what follows on the new branch forks nothing"
    );
    assert_eq!(
        restored.send(storage, 501..=620).await,
        accepted(0, 120, false, restored.after(620))
    );

    let heads = storage.heads(before.opening.device_key_id).await.unwrap();
    assert_eq!(held(&heads), 720);
    let [main, fork] = heads[..] else { panic!("two branches: {heads:?}") };
    assert_eq!((main.forked_from, main.first_seq, main.tip), (None, 1, before.at()));
    assert_eq!(
        (fork.forked_from, fork.first_seq, fork.tip),
        (Some(main.branch), 501, restored.at())
    );
    assert_eq!(verified(storage, &main, 64).await.len(), 600);
    assert_eq!(verified(storage, &fork, 64).await.len(), 620);
    assert_eq!(found(storage, every(before.tenant_id)).await.len(), 720);
    for site in [&before, &restored] {
        for seq in [1, 500, 501, 600] {
            let (key, epoch) = (site.opening.device_key_id, site.opening.epoch);
            assert!(storage.held(key, epoch, site.after(seq)).await.unwrap(), "{seq}");
        }
    }
}

#[tokio::test]
async fn the_old_history_may_go_on_beside_the_new_one() {
    let world = World::new();
    let storage = &world.storage;
    let mut one = Site::of(tenant_id(), 20);
    one.send_all(storage).await;
    let mut other = one.restored_at(10);
    other.run_on(5);
    assert_eq!(other.send(storage, 11..=15).await, accepted(5, 0, true, other.at()));
    // A copied machine: both run, in turns.
    for _ in 0..3 {
        one.run_on(2);
        let last = one.records.len();
        assert_eq!(one.send(storage, last - 1..=last).await, accepted(2, 0, false, one.at()));
        other.run_on(2);
        let last = other.records.len();
        assert_eq!(other.send(storage, last - 1..=last).await, accepted(2, 0, false, other.at()));
    }
    let heads = storage.heads(one.opening.device_key_id).await.unwrap();
    assert_eq!((heads.len(), held(&heads)), (2, 26 + 11));
}

#[tokio::test]
async fn a_second_record_1_is_a_fork_too() {
    let world = World::new();
    let storage = &world.storage;
    let first = Site::of(tenant_id(), 3);
    first.send_all(storage).await;
    let mut second = first.restored_at(0);
    second.run_on(4);
    assert_eq!(second.send(storage, 1..=2).await, accepted(2, 0, true, second.after(2)));
    assert_eq!(second.send(storage, 1..=4).await, accepted(2, 2, false, second.at()));
    let heads = storage.heads(first.opening.device_key_id).await.unwrap();
    let main = heads[0].branch;
    assert_eq!(forks(&heads), [(main, None, 1, 3), (heads[1].branch, Some(main), 1, 4)]);
    assert_eq!(verified(storage, &heads[0], 2).await.len(), 3);
    assert_eq!(verified(storage, &heads[1], 2).await.len(), 4);
}

#[tokio::test]
async fn forks_of_forks_are_read_from_the_opening_to_their_tips_at_any_page() {
    let world = World::new();
    let storage = &world.storage;
    let first = Site::of(tenant_id(), 30);
    first.send_all(storage).await;
    let mut sites = vec![first];
    // Each goes away from the one before, at 25, 27, 26 and 4: the last from the first's own.
    for (parent, at, more) in [(0, 25, 10), (1, 27, 10), (2, 26, 10), (3, 4, 10), (2, 31, 1)] {
        let mut fork: Site = sites[parent].restored_at(at);
        fork.run_on(more);
        let taken = fork.send(storage, at + 1..=at + more).await;
        assert_eq!(taken, accepted(more, 0, true, fork.at()));
        sites.push(fork);
    }
    let heads = storage.heads(sites[0].opening.device_key_id).await.unwrap();
    assert_eq!(held(&heads), 30 + 41);
    let parents: Vec<_> = heads
        .iter()
        .map(|held| heads.iter().position(|parent| Some(parent.branch) == held.forked_from))
        .collect();
    assert_eq!(parents, [None, Some(0), Some(1), Some(1), Some(0), Some(2)]);
    for (site, branch) in sites.iter().zip(&heads) {
        for page in [1, 3, 25, 26, 1_000] {
            let records = verified(storage, branch, page).await;
            let read: Vec<Head> = records.iter().map(|record| record.head).collect();
            let told: Vec<Head> = site.records.iter().map(|record| record.head).collect();
            assert_eq!(read, told);
        }
        let end = branch.tip.seq;
        assert!(storage.chain_records(branch.branch, end, 10).await.unwrap().is_empty());
        assert_eq!(storage.chain_records(branch.branch, end - 1, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_follows_nothing_held_is_a_gap_that_tells_the_heads_and_takes_nothing() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 20);
    let gap = |heads| Taken::Gap { heads };
    assert_eq!(site.send(storage, 2..=5).await, gap(Vec::new()), "nothing is held yet");
    site.send(storage, 1..=5).await;
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    assert_eq!((heads.len(), heads[0].tip), (1, site.after(5)));
    assert_eq!(site.send(storage, 7..=9).await, gap(heads.clone()), "record 6 is missing");

    // Another history's records, whose numbers are held and whose heads are not.
    let mut other = site.restored_at(2);
    other.run_on(5);
    assert_eq!(other.send(storage, 5..=7).await, gap(heads.clone()));
    // The opening's own number with another head.
    let mut batch = site.batch(1..=3);
    batch.before = ChainPosition { seq: 0, head: site.after(3).head };
    assert_eq!(storage.take_batch(batch, no_trail).await.unwrap(), gap(heads));
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 5);

    // Another device's chain is none of its own.
    let other_device = Site::of(site.tenant_id, 3);
    assert_eq!(other_device.send(storage, 2..=3).await, gap(Vec::new()));
}

#[tokio::test]
async fn an_epoch_has_one_opening_and_another_epoch_is_another_chain() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 5);
    site.send_all(storage).await;
    let previous = Previous { epoch: site.opening.epoch, seq: 5, head: site.at().head };

    let again = Opening { previous, ..site.opening };
    let mut reopened = Site { opening: again, ..site.restored_at(0) };
    reopened.run_on(3);
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    assert_eq!(reopened.send(storage, 1..=3).await, Taken::Gap { heads: heads.clone() });
    // Going on from what is held, but under the other opening.
    let mut goes_on = site.clone();
    goes_on.run_on(1);
    goes_on.opening = again;
    assert_eq!(goes_on.send(storage, 6..=6).await, Taken::Gap { heads });

    let salvaged = Opening { epoch: Epoch::new([3; 16]), ..again };
    let mut salvaged = Site { opening: salvaged, ..site.restored_at(0) };
    salvaged.run_on(2);
    salvaged.send_all(storage).await;
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    let openings: Vec<_> = heads.iter().map(|branch| branch.opening).collect();
    assert_eq!(openings, [site.opening, salvaged.opening]);
    let held = |epoch, at| storage.held(site.opening.device_key_id, epoch, at);
    assert!(held(site.opening.epoch, site.after(0)).await.unwrap());
    assert!(!held(site.opening.epoch, salvaged.after(0)).await.unwrap());
    assert!(!held(salvaged.opening.epoch, site.after(2)).await.unwrap());
    assert!(!held(Epoch::new([4; 16]), site.after(0)).await.unwrap());
}

#[tokio::test]
async fn an_empty_batch_is_held_to_its_place_and_leaves_nothing() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 2);
    let empty = |seq| {
        let mut batch = site.batch(seq + 1..=seq);
        batch.records.clear();
        storage.take_batch(batch, no_trail)
    };
    assert_eq!(empty(0).await.unwrap(), accepted(0, 0, false, site.after(0)));
    assert_eq!(empty(1).await.unwrap(), Taken::Gap { heads: Vec::new() });
    assert!(storage.heads(site.opening.device_key_id).await.unwrap().is_empty());
    site.send_all(storage).await;
    assert_eq!(empty(1).await.unwrap(), accepted(0, 0, false, site.after(1)));
}

#[tokio::test]
async fn nobody_writes_the_kernels_own_chain() {
    let world = World::new();
    let storage = &world.storage;
    let (opening, before) = storage.own_chain().await.unwrap();
    let mut thief = Site { opening, ..Site::new(tenant_id()) };
    thief.run_on(2);
    let taken = thief.send(storage, 1..=2).await;
    assert!(matches!(taken, Taken::Gap { .. }), "{taken:?}");
    assert_eq!(storage.own_chain().await.unwrap(), (opening, before));
    assert_eq!(opening.device_key_id, own_chain().key_id);
}

/// What must be held, whatever came in which order: every record of an accepted batch, once.
#[derive(Default)]
struct Model {
    /// Each position held, and the one before it.
    held: BTreeMap<(u64, Head), Head>,
}

impl Model {
    fn take(&mut self, site: &Site, first: usize, last: usize) -> Option<Taken> {
        let before = site.after(first - 1);
        if before.seq > 0 && !self.held.contains_key(&(before.seq, before.head)) {
            return None;
        }
        let (mut new, mut known, mut forked) = (0, 0, false);
        for seq in first..=last {
            let (at, on) = (site.after(seq), site.after(seq - 1));
            if self.held.contains_key(&(at.seq, at.head)) {
                known += 1;
                continue;
            }
            new += 1;
            forked |= self.held.iter().any(|(held, before)| held.0 == at.seq && *before == on.head);
            self.held.insert((at.seq, at.head), on.head);
        }
        Some(accepted(new, known, forked, site.after(last)))
    }

    /// Ends of histories: what nothing held comes after.
    fn tips(&self) -> BTreeSet<(u64, Head)> {
        let followed: BTreeSet<_> =
            self.held.iter().map(|((seq, _), before)| (seq - 1, *before)).collect();
        self.held.keys().filter(|held| !followed.contains(held)).copied().collect()
    }
}

#[tokio::test]
async fn any_order_of_restores_copies_and_lost_answers_ends_in_every_record_once() {
    for seed in 1..=24 {
        let world = World::new();
        let mut random = Random(seed);
        let mut model = Model::default();
        let mut sites = vec![Site::new(tenant_id())];
        for step in 0..60 {
            let of = random.below(sites.len());
            match random.below(4) {
                0 => {
                    let at = random.below(sites[of].records.len() + 1);
                    sites.push(sites[of].restored_at(at));
                }
                1 => sites[of].run_on(1 + random.below(6)),
                _ if sites[of].records.is_empty() => {}
                _ => {
                    let last = 1 + random.below(sites[of].records.len());
                    let first = 1 + random.below(last);
                    let taken = sites[of].send(&world.storage, first..=last).await;
                    match model.take(&sites[of], first, last) {
                        Some(accepted) => assert_eq!(taken, accepted, "seed {seed}, step {step}"),
                        None => {
                            assert!(matches!(taken, Taken::Gap { .. }), "seed {seed}: {taken:?}")
                        }
                    }
                }
            }
        }
        agrees(&world.storage, &model, &sites[0], seed).await;
    }
}

async fn agrees(storage: &Storage, model: &Model, site: &Site, seed: u64) {
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    assert_eq!(held(&heads), model.held.len() as u64, "seed {seed}");
    let tips: BTreeSet<_> = heads.iter().map(|branch| (branch.tip.seq, branch.tip.head)).collect();
    assert_eq!(tips, model.tips(), "seed {seed}");
    for branch in &heads {
        let records = verified(storage, branch, 5).await;
        assert!(records.iter().all(|held| model.held.contains_key(&(held.link.seq, held.head))));
    }
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), model.held.len(), "seed {seed}");
}

/// A sequence that a seed fixes (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        for (left, shift) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << shift } else { self.0 >> shift };
        }
        (self.0 >> 11) as usize % end
    }
}
