//! The next root: drafted, passed between people, signed by each, and taken by sites.
#![allow(clippy::unwrap_used, clippy::panic)]

mod chains;
#[path = "../desk/mod.rs"]
mod desk;
mod drafting;
mod signing;
mod sites;

use std::collections::BTreeMap;

use farhold_bundle::{KeyId, Signer, TrustRoot, payload::Role};
use farhold_keys::Throwaway;
use license_tool::root::{FirstKey, FirstRoot, first_root};

use desk::{Desk, MADE_AT, at};

const NEXT_AT: &str = "2026-11-22T08:00:00Z";

/// A desk of three people of whom two must sign.
fn three_people() -> Desk {
    let desk = Desk::new();
    for name in ["ana", "bo", "cy"] {
        desk.keygen(name);
    }
    desk.root_init(
        "root.1.json",
        &["--root-key", "ana.key", "--root-key", "bo.key", "--root-key", "cy.key"]
            .into_iter()
            .chain(["--root-threshold", "2"])
            .collect::<Vec<_>>(),
    );
    desk.keygen("license-2");
    desk
}

const ROTATE: &str = "root rotate license --old license --new license-2.key --root root.1.json \
                      --expires 9000-01-01 --at 2026-11-22T08:00:00Z";

fn names_in(quorum: &serde_json::Value) -> Vec<&str> {
    quorum.as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect()
}

/// A vendor with one key a role.
fn vendor() -> (TrustRoot, BTreeMap<KeyId, Throwaway>) {
    let mut keys = BTreeMap::new();
    let mut listed = Vec::new();
    for role in [Role::Root, Role::License, Role::Revocation, Role::Kernel] {
        let key = Throwaway::make().unwrap();
        listed.push(FirstKey { role, public_key: key.public_key().clone(), name: None });
        keys.insert(key.public_key().id(), key);
    }
    let first = FirstRoot {
        issuer: desk::LICENSE.parse().unwrap(),
        name: "ACME".to_owned(),
        issued_at: at(MADE_AT),
        expires: at("9000-01-01T00:00:00Z"),
        thresholds: BTreeMap::new(),
        kernel_ca: Vec::new(),
        keys: listed.clone(),
    };
    let signer: &dyn Signer = &keys[&listed[0].public_key.id()];
    (first_root(first, &[signer]).unwrap(), keys)
}
