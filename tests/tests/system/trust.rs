//! A first root never comes out of a bundle.

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{OldKey, Site, Vendor};

#[test]
fn without_a_root_nothing_is_taken() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let license = vendor.license(|l| l.feature("export"));
    site.imports(&license).refused(Code::TrustMissing);
    site.imports(&vendor.root().and(&[&license])).refused(Code::TrustMissing);
    site.verb(["trust", "show"]).refused(Code::TrustMissing);
    assert!(site.suffers("trust_missing"));
    let site = site.trusting();
    assert!(!site.suffers("trust_missing"));
    site.imports(&license).done();
}

#[test]
fn a_root_is_installed_by_its_hash_and_once() {
    let (vendor, other) = (Vendor::new(), Vendor::new());
    let site = Site::new(&vendor);
    let install = |vendor: &Vendor, sha256: &str| {
        let root = vendor.root();
        site.verb(["trust", "install", root.path().to_str().unwrap(), "--sha256", sha256])
    };
    install(&vendor, &other.root_sha256()).refused(Code::TrustHash);
    install(&vendor, "abc").refused(Code::UsageInvalid);
    site.verb(["trust", "show"]).refused(Code::TrustMissing);

    let installed = install(&vendor, &vendor.root_sha256()).done();
    assert_eq!(installed["sha256"], vendor.root_sha256());
    install(&vendor, &vendor.root_sha256()).done();
    install(&other, &other.root_sha256()).refused(Code::TrustConflict);
    assert_eq!(site.status()["trust"]["issuer_id"], vendor.issuer());
    site.audit().only("agent.trust.installed");
}

#[test]
fn the_vendors_package_brings_the_root_before_anyone_asks() {
    let vendor = Vendor::new();
    let mut site = Site::planned(&vendor, |plan| plan.packaged_trust(&vendor.root()));
    assert_eq!(site.status()["trust"]["sha256"], vendor.root_sha256());
    let license = vendor.license(|l| l.feature("export"));
    site.imports(&license).done();
    site.imports(&vendor.next_root(OldKey::RotatedOut)).done();
    site.killed().started();
    assert_eq!(site.status()["trust"]["version"], 2, "the package does not set it back");
    site.runtime(Courses).registered().check("export").allowed();
}

#[test]
fn a_chain_of_roots_is_walked_step_by_step() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let second = vendor.next_root(OldKey::RotatedOut);
    let third = vendor.next_root(OldKey::Revoked);
    site.imports(&third).refused(Code::TrustSkipped);
    site.imports(&third.and(&[&second])).done();
    assert_eq!(site.status()["trust"]["version"], 3);
    site.imports(&second).refused(Code::BundleSuperseded);
}
