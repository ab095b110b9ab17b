//! Listings of an organization's events: every filter, every page, nobody else's.

use std::time::Duration;

use farhold_audit::Class;
use farhold_contract::id::{RuntimeId, TenantId};
use farhold_kernel::storage::{AuditQuery, Cursor, Order};

use crate::{
    audit_site::{Event, Site, event_id, every, found, pages},
    world::{NOW, World, later, runtime_id, tenant_id},
};

/// Two agents' events of one tenant, with another tenant's between them.
struct Stage {
    world: World,
    tenant_id: TenantId,
    other_tenant: TenantId,
    runtimes: [RuntimeId; 2],
    agents: [RuntimeId; 2],
    /// In the order of arrival, each with the agent it came through.
    events: Vec<(Event, usize)>,
}

const KINDS: [&str; 4] = ["login", "session.start", "session.end", "course.completed"];

impl Stage {
    async fn new() -> Self {
        let world = World::new();
        let (tenant_id, other_tenant) = (tenant_id(), tenant_id());
        let runtimes = [runtime_id(), runtime_id()];
        let mut sites = [Site::new(tenant_id), Site::new(tenant_id)];
        let mut events = Vec::new();
        for (of, site) in sites.iter_mut().enumerate() {
            for number in 0..120_usize {
                let event = Event {
                    kind: KINDS[number % 4].to_owned(),
                    runtime_id: [None, Some(runtimes[0]), Some(runtimes[1])][number % 3],
                    // The second site was offline: what it recorded earlier arrives later.
                    recorded_at: NOW + Duration::from_secs(10 * number as u64 + 5 * of as u64),
                    text: format!("{} number {number}.", ["Ada", "Zoë"][number % 2]),
                    ..Event::of(if number % 10 == 9 { other_tenant } else { tenant_id })
                };
                site.record(&event);
                if event.tenant_id == tenant_id {
                    events.push((event, of));
                }
            }
            site.send_all(&world.storage).await;
        }
        let agents = [sites[0].agent, sites[1].agent];
        Self { world, tenant_id, other_tenant, runtimes, agents, events }
    }

    fn every(&self) -> AuditQuery {
        every(self.tenant_id)
    }

    /// Holds a query, in both orders, at two page sizes, to what a plain look through all events
    /// finds; how many there are.
    async fn holds(&self, query: AuditQuery, is_meant: impl Fn(&Event, usize) -> bool) -> usize {
        let meant = self.events.iter().filter(|(event, of)| is_meant(event, *of));
        let mut meant: Vec<Vec<u8>> = meant.map(|(event, _)| event.bytes()).collect();
        for order in [Order::Oldest, Order::Newest] {
            for limit in [7, 1_000] {
                let query = AuditQuery { order, limit, ..query.clone() };
                let found = found(&self.world.storage, query.clone()).await;
                let found: Vec<_> = found.into_iter().filter_map(|entry| entry.event).collect();
                assert_eq!(found, meant, "{query:?}");
            }
            meant.reverse();
        }
        meant.len()
    }
}

#[tokio::test]
async fn each_filter_alone_finds_what_it_says_in_both_orders() {
    let stage = Stage::new().await;
    let every = stage.every();
    assert_eq!(stage.holds(every.clone(), |_, _| true).await, 2 * 108);

    let (from, to) = (later(305), later(800));
    let query = AuditQuery { from: Some(from), ..every.clone() };
    assert!(stage.holds(query, |event, _| event.recorded_at >= from).await > 100);
    let query = AuditQuery { to: Some(to), ..every.clone() };
    assert!(stage.holds(query, |event, _| event.recorded_at < to).await > 100);

    for prefix in ["session.", "s", "login", "course.completed"] {
        let query = AuditQuery { kind_prefix: Some(prefix.to_owned()), ..every.clone() };
        assert!(stage.holds(query, |event, _| event.kind.starts_with(prefix)).await > 40);
    }
    for prefix in ["session.started", "%", "ession", "zzz"] {
        let query = AuditQuery { kind_prefix: Some(prefix.to_owned()), ..every.clone() };
        assert_eq!(stage.holds(query, |event, _| event.kind.starts_with(prefix)).await, 0);
    }
    let [runtime, _] = stage.runtimes;
    let query = AuditQuery { runtime_id: Some(runtime), ..every.clone() };
    assert!(stage.holds(query, |event, _| event.runtime_id == Some(runtime)).await > 40);
    for of in 0..2 {
        let query = AuditQuery { agent: Some(stage.agents[of]), ..every.clone() };
        assert_eq!(stage.holds(query, |_, through| through == of).await, 108);
    }
    for text in ["Zoë", "number 11", "\"text\":\"Ada", "%"] {
        let query = AuditQuery { text: Some(text.to_owned()), ..every.clone() };
        let has = |event: &Event| String::from_utf8(event.bytes()).unwrap().contains(text);
        assert_eq!(stage.holds(query, |event, _| has(event)).await == 0, text == "%");
    }
    let wanted = stage.events[77].0.event_id;
    let query = AuditQuery { event_id: Some(wanted), ..every.clone() };
    assert_eq!(stage.holds(query, |event, _| event.event_id == wanted).await, 1);
    for unknown in [
        AuditQuery { event_id: Some(event_id()), ..every.clone() },
        AuditQuery { runtime_id: Some(runtime_id()), ..every.clone() },
        AuditQuery { agent: Some(runtime_id()), ..every },
    ] {
        assert_eq!(stage.holds(unknown, |_, _| false).await, 0);
    }
}

#[tokio::test]
async fn filters_together_narrow_each_other() {
    let stage = Stage::new().await;
    let [_, runtime] = stage.runtimes;
    let (from, to) = (later(200), later(1_000));
    let query = AuditQuery {
        from: Some(from),
        to: Some(to),
        kind_prefix: Some("session.".to_owned()),
        runtime_id: Some(runtime),
        agent: Some(stage.agents[1]),
        text: Some("Zoë".to_owned()),
        ..stage.every()
    };
    let is_meant = |event: &Event, of: usize| {
        (from..to).contains(&event.recorded_at)
            && event.kind.starts_with("session.")
            && event.runtime_id == Some(runtime)
            && of == 1
            && event.text.contains("Zoë")
    };
    let meant = stage.holds(query.clone(), is_meant).await;
    assert!(meant > 2, "{meant}");
    let (event, _) = stage.events.iter().find(|(event, of)| is_meant(event, *of)).unwrap();
    let one = AuditQuery { event_id: Some(event.event_id), ..query.clone() };
    assert_eq!(stage.holds(one.clone(), |other, _| other.event_id == event.event_id).await, 1);
    let none = AuditQuery { kind_prefix: Some("login".to_owned()), ..one };
    assert_eq!(stage.holds(none, |_, _| false).await, 0);
}

#[tokio::test]
async fn an_entry_says_where_it_came_from() {
    let world = World::new();
    let mut site = Site::new(tenant_id());
    let event =
        Event { kind: "login".to_owned(), recorded_at: later(9), ..Event::of(site.tenant_id) };
    site.record(&event);
    site.send_all(&world.storage).await;
    let entry = found(&world.storage, every(site.tenant_id)).await.remove(0);
    assert_eq!((entry.agent, entry.epoch, entry.seq), (Some(site.agent), site.opening.epoch, 1));
    assert_eq!((entry.recorded_at, entry.received_at), (later(9), NOW));
    assert_eq!((entry.class, entry.event), (Class::Session, Some(event.bytes())));
}

#[tokio::test]
async fn no_filter_reaches_another_tenants_events() {
    let stage = Stage::new().await;
    let storage = &stage.world.storage;
    let foreign = &stage.events[5].0;
    let wrong = every(stage.other_tenant);
    assert_eq!(found(storage, wrong.clone()).await.len(), 2 * 12);
    for query in [
        AuditQuery { event_id: Some(foreign.event_id), ..wrong.clone() },
        AuditQuery { text: Some(foreign.event_id.to_string()), ..wrong.clone() },
    ] {
        assert!(found(storage, query).await.is_empty());
    }
    // A cursor out of another listing is only a place: it lets nothing through.
    let theirs = found(storage, wrong.clone()).await;
    let first = found(storage, stage.every()).await[0].cursor;
    let after = AuditQuery { after: Some(first), ..wrong };
    assert_eq!(found(storage, after).await, theirs);
    assert!(found(storage, every(tenant_id())).await.is_empty());
}

#[tokio::test]
async fn what_arrives_between_two_pages_is_neither_lost_nor_seen_twice() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::of(tenant_id(), 25);
    site.send_all(storage).await;
    for order in [Order::Oldest, Order::Newest] {
        let query = AuditQuery { order, limit: 10, ..every(site.tenant_id) };
        let first = storage.audit_events(query.clone()).await.unwrap();
        assert_eq!(first.events.len(), 10);
        let held = site.records.len();
        site.run_on(10);
        site.send(storage, held + 1..=held + 10).await;
        let rest = found(storage, AuditQuery { after: first.next, ..query }).await;
        let mut seqs: Vec<u64> = first.events.iter().chain(&rest).map(|entry| entry.seq).collect();
        seqs.sort_unstable();
        seqs.dedup();
        // In the order of arrival all 35; against it, those that were there when it began.
        assert_eq!(seqs, (1..=35).collect::<Vec<u64>>());
        assert_eq!(first.events.len() + rest.len(), seqs.len());
    }
}

#[tokio::test]
async fn a_search_in_vain_looks_at_so_many_rows_a_page_and_says_where_to_go_on() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::new(tenant_id());
    for number in 0..45_000 {
        let text = if number % 22_000 == 21_999 { "needle" } else { "hay" };
        site.record(&Event { text: text.to_owned(), ..Event::of(site.tenant_id) });
    }
    for first in (1..=45_000).step_by(5_000) {
        site.send(storage, first..=first + 4_999).await;
    }
    for (order, by_page, seqs) in
        [(Order::Oldest, [0, 1, 1], [22_000, 44_000]), (Order::Newest, [1, 1, 0], [44_000, 22_000])]
    {
        let text = Some("needle".to_owned());
        let query = AuditQuery { text, order, ..every(site.tenant_id) };
        let pages = pages(storage, query).await;
        let found: Vec<usize> = pages.iter().map(|page| page.events.len()).collect();
        assert_eq!(found, by_page);
        let found: Vec<u64> =
            pages.iter().flat_map(|page| &page.events).map(|entry| entry.seq).collect();
        assert_eq!(found, seqs);
        // Without a filter every row is asked for: a page is as long as it may be.
        let all = AuditQuery { order, limit: 100_000, ..every(site.tenant_id) };
        let all = storage.audit_events(all).await.unwrap();
        assert_eq!((all.events.len(), all.next), (45_000, None));
    }
}

#[test]
fn a_cursor_is_read_back_and_nothing_else_is_one() {
    for text in ["0", "17", "-3", "9223372036854775807"] {
        assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
    }
    for text in ["", "a", "1.0", "9223372036854775808", "1 "] {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
}
