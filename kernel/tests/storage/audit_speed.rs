//! How fast batches are taken in, with every index, while somebody lists. Run by hand, in release:
//! `cargo test --release -p farhold-kernel --test storage -- --ignored --nocapture`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use farhold_contract::id::TenantId;
use farhold_kernel::storage::{AuditQuery, Batch, Order as Listed, Storage, Taken, no_trail};

use crate::{
    audit_site::{Event, Site, every, found},
    world::{World, runtime_id, tenant_id},
};

const BATCH: usize = 1_000;

/// A site's events of 375 bytes each, in batches of 1,000.
fn batches(batches: usize) -> (Site, Vec<Batch>) {
    let mut site = Site::new(tenant_id());
    let kinds = ["login", "session.start", "session.end", "feature.used"];
    let runtimes = [(); 4].map(|()| runtime_id());
    let sent = (0..batches)
        .map(|batch| {
            for number in 0..BATCH {
                let mut event = Event {
                    kind: kinds[number % 4].to_owned(),
                    runtime_id: Some(runtimes[number % 4]),
                    text: String::new(),
                    ..Event::of(site.tenant_id)
                };
                event.text = "x".repeat(375 - event.bytes().len());
                site.record(&event);
            }
            site.batch(batch * BATCH + 1..=(batch + 1) * BATCH)
        })
        .collect();
    (site, sent)
}

/// One agent: a batch in flight at a time.
async fn send(storage: Storage, batches: Vec<Batch>) -> Vec<Duration> {
    let mut took = Vec::new();
    for batch in batches {
        let began = Instant::now();
        let taken = storage.take_batch(batch, no_trail).await.unwrap();
        assert!(matches!(taken, Taken::Accepted { new: 1_000, known: 0, .. }));
        took.push(began.elapsed());
    }
    took
}

/// What the writer has computed, in hundredths of a second: on a machine with other work to do this
/// says more than the time that went by.
fn writer_ticks() -> u64 {
    let threads =
        std::fs::read_dir("/proc/self/task").unwrap().map(|thread| thread.unwrap().path());
    let stat = threads
        .map(|thread| std::fs::read_to_string(thread.join("stat")).unwrap())
        .find(|stat| stat.contains("(storage-writer)"))
        .unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    let ticks = |field: usize| after_name.split(' ').nth(field).unwrap().parse::<u64>().unwrap();
    ticks(11) + ticks(12)
}

/// Lists a page every 10 ms until told to stop: how many pages, and the longest wait for one.
async fn list(storage: Storage, tenant_id: TenantId, stop: Arc<AtomicBool>) -> (usize, Duration) {
    let (mut pages, mut longest) = (0, Duration::ZERO);
    let newest = AuditQuery { order: Listed::Newest, limit: 100, ..every(tenant_id) };
    let mut query = newest.clone();
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        let began = Instant::now();
        let page = storage.audit_events(query.clone()).await.unwrap();
        longest = longest.max(began.elapsed());
        pages += 1;
        query = AuditQuery { after: page.next, ..newest.clone() };
    }
    (pages, longest)
}

async fn measure(agents: usize, each: usize) {
    let world = World::new();
    let (sites, sent): (Vec<_>, Vec<_>) = (0..agents).map(|_| batches(each)).unzip();
    let stop = Arc::new(AtomicBool::new(false));
    let listing = tokio::spawn(list(world.storage.clone(), sites[0].tenant_id, Arc::clone(&stop)));
    let began = Instant::now();
    let sending: Vec<_> =
        sent.into_iter().map(|sent| tokio::spawn(send(world.storage.clone(), sent))).collect();
    let mut took = Vec::new();
    for sending in sending {
        took.extend(sending.await.unwrap());
    }
    let (elapsed, ticks) = (began.elapsed(), writer_ticks());
    stop.store(true, Ordering::Relaxed);
    let (pages, longest) = listing.await.unwrap();
    took.sort_unstable();
    let rows = agents * each * BATCH;
    println!(
        "{agents} agents, {rows} rows of 375 bytes: {:.0} rows/s, {:.0} rows a second of the \
         writer's own; a batch took {:?} at the median, {:?} at the 99th; {pages} pages of 100 \
         listed meanwhile, the slowest in {longest:?}",
        rows as f64 / elapsed.as_secs_f64(),
        100.0 * rows as f64 / ticks.max(1) as f64,
        took[took.len() / 2],
        took[took.len() * 99 / 100],
    );
    for site in &sites {
        let heads = world.storage.heads(site.opening.device_key_id).await.unwrap();
        assert_eq!(heads[0].tip, site.at());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: by hand, in release, on a quiet machine"]
async fn batches_are_taken_in_while_somebody_lists() {
    measure(1, 300).await;
    measure(8, 50).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: by hand, in release, on a quiet machine"]
async fn a_search_through_a_quarter_of_a_million_events() {
    let world = World::new();
    let (site, sent) = batches(250);
    send(world.storage.clone(), sent.clone()).await;
    let began = Instant::now();
    for batch in sent.into_iter().take(50) {
        world.storage.take_batch(batch, no_trail).await.unwrap();
    }
    println!("50 batches of 1000 known records: {:?}", began.elapsed());
    for (what, query) in [
        ("text", AuditQuery { text: Some("needle".to_owned()), ..every(site.tenant_id) }),
        ("type", AuditQuery { kind_prefix: Some("logout".to_owned()), ..every(site.tenant_id) }),
        ("runtime", AuditQuery { runtime_id: Some(runtime_id()), ..every(site.tenant_id) }),
    ] {
        let began = Instant::now();
        assert!(found(&world.storage, query).await.is_empty());
        println!("no {what} in {} events: {:?}", site.records.len(), began.elapsed());
    }
    let heads = world.storage.heads(site.opening.device_key_id).await.unwrap();
    let began = Instant::now();
    crate::audit_site::verified(&world.storage, &heads[0], 1_000).await;
    println!("verified {} records: {:?}", site.records.len(), began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: by hand, in release, on a quiet machine"]
async fn a_chain_that_was_forked_five_thousand_times() {
    let world = World::new();
    let site = Site::of(tenant_id(), 20);
    site.send_all(&world.storage).await;
    let mut took = Vec::new();
    for number in 0..5_000 {
        let mut fork = site.restored_at(number % 20);
        fork.run_on(2);
        let began = Instant::now();
        fork.send(&world.storage, fork.records.len() - 1..=fork.records.len()).await;
        took.push(began.elapsed());
    }
    println!("the first 100 forks: {:?}", took[..100].iter().sum::<Duration>());
    println!("the last 100 forks: {:?}", took[4_900..].iter().sum::<Duration>());
    let mut site = site;
    let began = Instant::now();
    for _ in 0..100 {
        site.run_on(1);
        site.send(&world.storage, site.records.len()..=site.records.len()).await;
    }
    println!("100 batches that go on at a tip: {:?}", began.elapsed());
}
