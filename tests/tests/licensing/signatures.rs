//! Signatures: whose name counts for what, at a site that runs.

use farhold_bundle::payload::{License, Revocations, Role, Root};
use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, OldKey, Site, Vendor};

fn content(license: &Document) -> License {
    serde_json::from_value(license.payload()).unwrap()
}

#[test]
fn every_role_signs_its_own_documents_and_no_others() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let renewal = vendor.license(|l| l.renewing(&license).feature("gold"));
    let revocations = vendor.revokes(&[&license]);
    let revocations: Revocations = serde_json::from_value(revocations.payload()).unwrap();
    let next: Root = serde_json::from_value(vendor.drafts_root("renew").payload()).unwrap();
    let forged = [
        vendor.sealed(&content(&renewal), Role::Root),
        vendor.sealed(&content(&renewal), Role::Revocation),
        vendor.sealed(&content(&renewal), Role::Kernel),
        vendor.sealed(&revocations, Role::License),
        vendor.sealed(&revocations, Role::Root),
        vendor.sealed(&revocations, Role::Kernel),
        vendor.sealed(&next, Role::License),
        vendor.sealed(&next, Role::Revocation),
        vendor.sealed(&next, Role::Kernel),
    ];
    for document in &forged {
        let refused = site.imports(document);
        assert_eq!(refused.exit, 5, "{}", refused.stdout);
        let told = refused.refused(Code::SignatureWrongRole);
        assert!(told.to_string().len() > 20);
    }
    // One signature too many is one too many, however good the others are.
    let surplus = vendor.also_signed(&renewal, Role::Kernel);
    site.imports(&surplus).refused(Code::SignatureWrongRole);
    courses.check("gold").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
    assert_eq!(site.status()["trust"]["version"], 1);
}

#[test]
fn a_root_that_only_its_own_new_keys_signed_is_no_root() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let impostor = Vendor::new();
    let mut root: Root = serde_json::from_value(impostor.root().payload()).unwrap();
    root.version = farhold_bundle::Positive::new(2).unwrap();
    root.issuer = serde_json::from_value(vendor.root().payload()["issuer"].clone()).unwrap();
    let takeover = impostor.sealed(&root, Role::Root);
    let refused = site.imports(&takeover);
    assert_eq!(refused.exit, 5, "{}", refused.stdout);
    assert_eq!(site.status()["trust"]["version"], 1);
}

#[test]
fn an_older_serial_and_the_same_serial_in_other_words_change_nothing() {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export").feature("gold"));
    let second = vendor.license(|l| l.renewing(&first).feature("export"));
    let rival = vendor.license(|l| l.renewing(&first).feature("export").feature("gold"));
    let mut site = Site::new(&vendor).trusting().holding(&first).holding(&second);
    let courses = site.runtime(Courses).registered();
    let superseded = site.imports(&first);
    superseded.refused(Code::BundleSuperseded);
    site.imports(&rival).refused(Code::BundleConflict);
    site.killed().started();
    courses.check("gold").denied(Code::FeatureNotGranted);
}

#[test]
fn a_step_left_out_and_a_first_root_of_its_own_are_refused() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    vendor.next_root(OldKey::RotatedOut);
    let third = vendor.next_root(OldKey::RotatedOut);
    site.imports(&third).refused(Code::TrustSkipped);
    let stranger = Vendor::new();
    let license = stranger.license(|l| l.feature("export"));
    let refused = site.imports(&stranger.root().and(&[&license]));
    assert_ne!(refused.exit, 0, "{}", refused.stdout);
    assert_eq!(site.status()["trust"]["issuer_id"], vendor.issuer());
    assert!(site.licenses().is_empty());
}
