//! Chains: a site that slept through many roots.

use farhold_bundle::{
    KeyId, Positive, Signer, Standing, TrustRoot,
    payload::{License, Role},
    plan_import, seal,
};
use farhold_contract::Code;
use farhold_keys::Throwaway;
use license_tool::{
    root::{Change, Draft, next_root},
    template,
};

use crate::{
    NEXT_AT,
    desk::{ISSUED_AT, TEMPLATE, at},
    vendor,
};

#[test]
fn a_site_that_slept_through_ten_rotations_catches_up_in_one_import() {
    let (site, roots, last) = slept_through(10);
    let bundle = [roots.concat(), last].concat();
    let plan = plan_import(&site, &bundle, None, at(NEXT_AT)).unwrap();
    assert_eq!(plan.standing.root().unwrap().version(), 11);
    assert!(plan.fallen.is_empty());
    assert_eq!(serials(&plan.standing), [1, 2], "what the first key signed stays in force");
}

#[test]
fn a_site_that_slept_through_a_hundred_rotations_catches_up_in_two() {
    let (site, roots, last) = slept_through(100);
    let whole = [roots.concat(), last.clone()].concat();
    let refusal = plan_import(&site, &whole, None, at(NEXT_AT)).unwrap_err();
    assert_eq!(refusal.code(), Code::BundleTooLarge);

    let first = plan_import(&site, &roots[..64].concat(), None, at(NEXT_AT)).unwrap().standing;
    assert_eq!((first.root().unwrap().version(), serials(&first)), (65, vec![1]));
    let rest = [roots[64..].concat(), last].concat();
    let second = plan_import(&first, &rest, None, at(NEXT_AT)).unwrap().standing;
    assert_eq!((second.root().unwrap().version(), serials(&second)), (101, vec![1, 2]));
    // And it starts again with what it stored.
    let stored = second.to_bundle();
    let lines = stored.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (reloaded, refused) = Standing::reload(lines);
    assert!(refused.is_empty() && serials(&reloaded) == [1, 2]);
}

/// A site at root 1 with serial 1, the roots after it, each with other root and license keys, and
/// serial 2 by the last license key.
fn slept_through(rotations: usize) -> (Standing, Vec<Vec<u8>>, Vec<u8>) {
    let (mut root, mut keys) = vendor();
    let license = |serial: u64, root: &TrustRoot| -> License {
        let template = template::read(TEMPLATE).unwrap();
        let id = template.license_id().unwrap();
        let serial = Positive::new(serial).unwrap();
        template.license(id, serial, root.root().issuer.id, at(ISSUED_AT)).unwrap()
    };
    let line = |license: &License, key: &Throwaway| {
        let mut line = seal(license, key).unwrap();
        line.push(b'\n');
        line
    };
    let first = line(&license(1, &root), &keys[&only(&root, Role::License)]);
    let site = Standing::with_trust(root.clone());
    let site = plan_import(&site, &first, None, at(NEXT_AT)).unwrap().standing;

    let mut roots = Vec::new();
    for _ in 0..rotations {
        let mut changes = Vec::new();
        for role in [Role::Root, Role::License] {
            let fresh = Throwaway::make().unwrap();
            let public_key = fresh.public_key().clone();
            keys.insert(public_key.id(), fresh);
            changes.push(Change::AddKey { role, public_key: Box::new(public_key), name: None });
            changes.push(Change::RemoveKey(only(&root, role)));
        }
        let end = at("9000-01-01T00:00:00Z");
        let next = next_root(&root, None, &changes, at(NEXT_AT), end).unwrap();
        let own = next.roles.root.key_ids[0];
        let draft = Draft::new(next, &root).unwrap();
        let draft = draft.sign(&keys[&only(&root, Role::Root)], &root).unwrap();
        root = draft.sign(&keys[&own], &root).unwrap().complete(&root).unwrap();
        roots.push([root.root().line(), b"\n"].concat());
    }
    let last = line(&license(2, &root), &keys[&only(&root, Role::License)]);
    (site, roots, last)
}

fn serials(standing: &Standing) -> Vec<u64> {
    standing.licenses().iter().map(|license| license.serial.as_u64()).collect()
}

fn only(root: &TrustRoot, role: Role) -> KeyId {
    root.root().role(role).unwrap().key_ids[0]
}
