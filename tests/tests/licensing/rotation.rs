//! Rotation: a site that slept is brought to today's root, whoever signed it.

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, OldKey, Site, Vendor};

/// So many rotations of the license key; the last brings one that is here, to sign by.
fn rotations(vendor: &Vendor, times: usize) -> Vec<Document> {
    let mut roots: Vec<Document> = (1..times).map(|number| to_a_new_key(vendor, number)).collect();
    roots.push(vendor.next_root(OldKey::RotatedOut));
    roots
}

/// A root in which the license key is one whose private half nobody will need.
fn to_a_new_key(vendor: &Vendor, number: usize) -> Document {
    let seed = Sha256::digest(format!("key {number}"));
    let key = hex::encode(SigningKey::from_bytes(&seed.into()).verifying_key());
    let old = vendor.root_now().payload()["roles"]["license"]["key_ids"][0].clone();
    vendor.changes_root(&format!("rotate license --old {} --new {key}", old.as_str().unwrap()))
}

fn version(site: &Site) -> u64 {
    site.status()["trust"]["version"].as_u64().unwrap()
}

#[test]
fn a_site_that_slept_through_ten_rotations_catches_up_in_one_import() {
    let vendor = Vendor::of_two_people();
    let first = vendor.license(|l| l.feature("export"));
    let mut site = Site::new(&vendor).trusting().holding(&first);
    let courses = site.runtime(Courses).registered();
    let roots = rotations(&vendor, 10);
    let renewal = vendor.license(|l| l.renewing(&first).feature("export").feature("exams"));
    site.imports(&renewal).refused(Code::SignatureKeyUnknown);
    courses.check("export").allowed();

    let mut all: Vec<&Document> = roots.iter().collect();
    all.push(&renewal);
    site.imports(&vendor.bundle(&all)).done();
    assert_eq!(version(&site), 11);
    courses.check("exams").allowed();
    site.killed().started();
    assert_eq!(version(&site), 11);
    courses.check("exams").allowed();
}

#[test]
fn a_site_that_slept_through_a_hundred_rotations_catches_up_in_two() {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export"));
    let mut site = Site::new(&vendor).trusting().holding(&first);
    let courses = site.runtime(Courses).registered();
    let roots = rotations(&vendor, 100);
    let renewal = vendor.license(|l| l.renewing(&first).feature("exams"));

    let chain = |roots: &[Document]| roots[0].and(&roots[1..].iter().collect::<Vec<_>>());
    site.imports(&chain(&roots)).refused(Code::BundleTooLarge);
    assert_eq!(version(&site), 1, "nothing of what is too much is taken");
    let (head, tail) = roots.split_at(64);
    site.imports(&chain(head)).done();
    courses.check("export").allowed();
    let mut rest: Vec<&Document> = tail.iter().collect();
    rest.push(&renewal);
    site.imports(&rest[0].and(&rest[1..])).done();
    assert_eq!(version(&site), 101);
    courses.check("exams").allowed();
    site.killed().started();
    assert_eq!(version(&site), 101);
    courses.check("exams").allowed();
}

#[test]
fn a_root_becomes_one_only_when_both_people_have_signed_it() {
    let vendor = Vendor::of_two_people();
    let site = Site::new(&vendor).trusting();
    let draft = vendor.drafts_root("renew");
    let half = vendor.signs_root(&draft, "root.key");
    site.imports(&half).refused(Code::SignatureThreshold);
    let other_copy = vendor.signs_root(&draft, "root.key");
    let (half_path, copy_path) =
        (half.path().to_str().unwrap(), other_copy.path().to_str().unwrap());
    let line = format!("root sign {half_path} {copy_path} --root root.json --out twice.json");
    vendor.tool(line.split(' '));
    let twice = vendor.folder().join("twice.json");
    if twice.exists() {
        site.imports(&Document::at(twice)).refused(Code::SignatureThreshold);
    }
    site.imports(&vendor.signs_root(&half, "root-b.key")).done();
    assert_eq!(version(&site), 2);
}

#[test]
fn two_who_sign_apart_put_their_copies_together() {
    let vendor = Vendor::of_two_people();
    let site = Site::new(&vendor).trusting();
    let draft = vendor.drafts_root("renew");
    let (one, other) =
        (vendor.signs_root(&draft, "root.key"), vendor.signs_root(&draft, "root-b.key"));
    let whole = vendor.next("root");
    let root = vendor.root();
    let [one, other, whole_path, root] =
        [one.path(), other.path(), &whole, root.path()].map(|path| path.to_str().unwrap());
    vendor.says(&format!("root sign {one} {other} --root {root} --out {whole_path}"));
    site.imports(&Document::at(&whole)).done();
    assert_eq!(version(&site), 2);
}

/// What the old people have to agree to: who signs from now on, and that they are enough.
#[test]
fn the_root_keys_themselves_are_replaced_by_old_and_new_together() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    vendor.makes_key("heir.key");
    let root = vendor.root_now().payload();
    let old = root["roles"]["root"]["key_ids"][0].as_str().unwrap();
    let draft = vendor.drafts_root(&format!("rotate root --old {old} --new heir.key"));
    let by_the_old = vendor.signs_root(&draft, "root.key");
    site.imports(&by_the_old).refused(Code::SignatureThreshold);
    site.imports(&vendor.signs_root(&draft, "heir.key")).refused(Code::SignatureThreshold);
    site.imports(&vendor.signs_root(&by_the_old, "heir.key")).done();
    assert_eq!(version(&site), 2);
    site.runtime(Courses).registered().check("export").allowed();
}

#[test]
fn a_rotated_key_is_shown_before_it_goes_and_what_it_signed_stays() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let next = vendor.next_root(OldKey::RotatedOut);
    let told = site.previews(&next);
    let keys = told["changes"]["trust"]["keys"].as_array().unwrap();
    let of = |change: &str| keys.iter().filter(|key| key["change"] == change).count();
    assert_eq!((of("added"), of("removed"), of("revoked")), (1, 1, 0), "{told:#}");
    assert!(told["changes"]["stops"].as_array().unwrap().is_empty(), "{told:#}");
    site.imports(&next).done();
    courses.check("export").allowed();
    site.killed().started();
    courses.check("export").allowed();
    assert_eq!(site.licenses().len(), 1);
}
