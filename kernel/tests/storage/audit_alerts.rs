//! Alerts, one an incident; and the sites of a license.

use std::time::Duration;

use serde_json::json;

use farhold_bundle::KeyId;
use farhold_contract::{
    AlertCode,
    id::{LicenseId, TenantId},
};
use farhold_kernel::storage::{
    Acknowledged, Alert, AlertFilter, NewAlert, Raised, Storage, StorageError, Trail, no_trail,
};

use crate::{
    audit_site::Site,
    world::{NOW, World, later, runtime_id, tenant_id, uuid},
};

fn alert(tenant_id: TenantId, incident: &str) -> NewAlert {
    NewAlert {
        code: AlertCode::ChainForked,
        tenant_id,
        agent: Some(runtime_id()),
        incident: incident.to_owned(),
        at: NOW,
        detail: json!({"after_seq": 500}),
    }
}

async fn raise(storage: &Storage, alert: &NewAlert) -> Raised {
    storage.raise_alert(alert.clone(), no_trail).await.unwrap()
}

async fn open(storage: &Storage, tenant_id: TenantId) -> Vec<Alert> {
    storage.alerts_of(tenant_id, AlertFilter::Open, None, 100).await.unwrap()
}

#[tokio::test]
async fn an_incident_is_one_open_alert_and_after_an_acknowledgment_a_new_one() {
    let world = World::new();
    let storage = &world.storage;
    let first = alert(tenant_id(), "restored/1");
    let raised = raise(storage, &first).await;
    assert_eq!((raised.new, raised.count), (true, 1));
    // Noticed by something else, later, and once more with an earlier clock.
    let code = AlertCode::StateRolledBack;
    let other = NewAlert { code, at: later(60), detail: json!({}), ..first.clone() };
    let again = raise(storage, &other).await;
    assert_eq!(again, Raised { new: false, count: 2, ..raised });
    assert_eq!(raise(storage, &first).await.count, 3);
    let listed = open(storage, first.tenant_id).await;
    let expected = Alert {
        alert_id: raised.alert_id,
        code: AlertCode::ChainForked,
        tenant_id: first.tenant_id,
        agent: first.agent,
        detail: first.detail.clone(),
        count: 3,
        raised_at: NOW,
        last_at: later(60),
        acknowledged: None,
    };
    assert_eq!(listed, [expected]);

    let acknowledge =
        |at, by: &str| storage.acknowledge_alert(raised.alert_id, at, by.to_owned(), no_trail);
    let by_ada = Some(Acknowledged { at: later(100), by: "ada".to_owned() });
    assert_eq!(acknowledge(later(100), "ada").await.unwrap().acknowledged, by_ada);
    assert_eq!(acknowledge(later(200), "eve").await.unwrap().acknowledged, by_ada);
    assert!(open(storage, first.tenant_id).await.is_empty());

    let anew = raise(storage, &first).await;
    assert_eq!((anew.new, anew.count), (true, 1));
    assert!(anew.alert_id > raised.alert_id);
    let all = storage.alerts_of(first.tenant_id, AlertFilter::All, None, 100).await.unwrap();
    let ids: Vec<_> = all.iter().map(|alert| alert.alert_id).collect();
    assert_eq!(ids, [anew.alert_id, raised.alert_id]);
    let unknown =
        storage.acknowledge_alert("999".parse().unwrap(), NOW, "ada".to_owned(), no_trail);
    assert!(matches!(unknown.await, Err(StorageError::Unknown { what: "alert" })));
}

#[tokio::test]
async fn alerts_are_listed_newest_first_page_by_page_and_by_their_tenant() {
    let world = World::new();
    let storage = &world.storage;
    let tenants = [tenant_id(), tenant_id()];
    let mut ids = Vec::new();
    for number in 0..30 {
        let alert = alert(tenants[number % 2], &format!("incident {number}"));
        ids.push(raise(storage, &alert).await.alert_id);
    }
    for id in ids.iter().step_by(3) {
        storage.acknowledge_alert(*id, NOW, "ada".to_owned(), no_trail).await.unwrap();
    }
    ids.reverse();
    for filter in [AlertFilter::Open, AlertFilter::All] {
        // Reversed, number n stands at 29 - n.
        let is_open = |at: usize| !(29 - at).is_multiple_of(3);
        let is_meant = |at: usize| filter == AlertFilter::All || is_open(at);
        for of in [None, Some(0), Some(1)] {
            let mut before = None;
            let mut seen = Vec::new();
            loop {
                let page = match of {
                    Some(of) => storage.alerts_of(tenants[of], filter, before, 4).await.unwrap(),
                    None => storage.alerts(filter, before, 4).await.unwrap(),
                };
                assert!(
                    page.iter().all(|alert| of.is_none_or(|of| alert.tenant_id == tenants[of]))
                );
                let Some(last) = page.last() else { break };
                before = Some(last.alert_id);
                seen.extend(page.iter().map(|alert| alert.alert_id));
            }
            let meant: Vec<_> = (0..30)
                .filter(|at| is_meant(*at) && of.is_none_or(|of| (29 - at) % 2 == of))
                .map(|at| ids[at])
                .collect();
            assert_eq!(seen, meant, "{filter:?} of {of:?}");
        }
    }
    assert_eq!(storage.counts().await.unwrap().open_alerts, 20);
}

#[tokio::test]
async fn an_alert_in_a_trail_is_raised_with_its_batch_or_not_at_all() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 3);
    let fork = alert(site.tenant_id, "restored/1");
    let raising = fork.clone();
    storage.take_batch(site.batch(1..=3), move |_| Trail::alerts(vec![raising])).await.unwrap();
    assert_eq!(open(storage, site.tenant_id).await.len(), 1);
    let given_up =
        storage.take_batch(site.batch(1..=3), |_| panic!("a fault in a caller's code")).await;
    assert!(matches!(given_up, Err(StorageError::GivenUp)), "{given_up:?}");
    assert_eq!(open(storage, site.tenant_id).await[0].count, 1);
}

#[tokio::test]
async fn a_licenses_sites_are_the_device_keys_of_the_last_30_days() {
    let world = World::new();
    let storage = &world.storage;
    let day = |days: u64| NOW + Duration::from_hours(24 * days);
    let license = LicenseId::from_uuid(uuid()).unwrap();
    let keys = [1_u8, 2, 3].map(|byte| KeyId::of(&[byte; 32]));
    let note = async |key: usize, at| {
        let counted = storage.note_license_site(license, 1, keys[key], at).await;
        counted.map(|counted| counted.devices)
    };
    assert_eq!(note(0, day(0)).await.unwrap(), 1);
    assert_eq!(note(0, day(1)).await.unwrap(), 1, "the same machine again");
    assert_eq!(note(1, day(20)).await.unwrap(), 2);
    let just_before = day(31) - Duration::from_millis(1);
    assert_eq!(note(2, just_before).await.unwrap(), 3);
    assert_eq!(note(2, day(31)).await.unwrap(), 2, "the first was seen 30 days ago");
    assert_eq!(note(1, day(10)).await.unwrap(), 3, "a report never makes a later one earlier");
    let mut expected = [keys[1], keys[2]];
    expected.sort_unstable();
    assert_eq!(storage.license_sites(license, day(31)).await.unwrap(), expected);
    assert_eq!(storage.license_sites(license, day(45)).await.unwrap(), expected);
    assert_eq!(storage.license_sites(license, day(50)).await.unwrap(), [keys[2]]);
    assert!(storage.license_sites(license, day(61)).await.unwrap().is_empty());
    let other = LicenseId::from_uuid(uuid()).unwrap();
    let counted = storage.note_license_site(other, 1, keys[0], day(31)).await.unwrap();
    assert_eq!((counted.license_id, counted.devices), (other, 1));
}

#[tokio::test]
async fn a_machine_that_a_license_was_moved_away_from_does_not_count_unless_it_goes_on() {
    let world = World::new();
    let storage = &world.storage;
    let hour = |hours: u64| NOW + Duration::from_hours(hours);
    let license = LicenseId::from_uuid(uuid()).unwrap();
    let [old, new] = [1_u8, 2].map(|byte| KeyId::of(&[byte; 32]));
    let note = async |key, serial, at| {
        let counted = storage.note_license_site(license, serial, key, at).await.unwrap();
        (counted.devices, counted.at_once)
    };
    assert_eq!(note(old, 1, hour(0)).await, (1, 1));
    assert_eq!(note(new, 2, hour(1)).await, (2, 1), "moved");
    assert_eq!(note(new, 2, hour(2)).await, (2, 1));
    assert_eq!(note(old, 1, hour(3)).await, (2, 2), "and the old one goes on");
    // The next serial, at both: the one that has it first does not hide the other.
    assert_eq!(note(new, 3, hour(4)).await, (2, 1));
    assert_eq!(note(old, 3, hour(5)).await, (2, 2));
}
