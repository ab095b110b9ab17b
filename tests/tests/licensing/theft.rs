//! Theft: a license at whom it was not made for.

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Site, TENANT_B, Vendor};

#[test]
fn one_organizations_license_is_refused_at_another() {
    let vendor = Vendor::new();
    let stolen = vendor.license(|l| l.feature("export"));
    let site = Site::planned(&vendor, |plan| plan.serving(TENANT_B)).trusting();
    site.imports(&stolen).refused(Code::TenantMismatch);
    // Nor beside one of its own: a bundle is made for one site.
    let own = vendor.license(|l| l.tenant(TENANT_B).feature("exams"));
    site.imports(&own.and(&[&stolen])).refused(Code::TenantMismatch);
    assert!(site.licenses().is_empty());
    site.imports(&own).done();
    site.runtime(Courses).registered().check("export").denied(Code::FeatureNotGranted);
}

#[test]
fn a_bound_license_is_refused_at_a_detached_stranger_of_the_same_organization() {
    let vendor = Vendor::new();
    let (home, stranger) = (Site::new(&vendor).trusting(), Site::new(&vendor).trusting());
    let license = vendor.license(|l| l.bound_to(&home.device_key()).feature("export"));
    home.imports(&license).done();
    stranger.imports(&license).refused(Code::LicenseBinding);
    stranger.runtime(Courses).registers().answer().refused(Code::LicenseMissing);
    home.runtime(Courses).registered().check("export").allowed();
}

#[test]
fn a_linked_sites_license_is_refused_at_a_detached_one() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    site.imports(&vendor.license(|l| l.managed().feature("export"))).refused(Code::LicenseMode);
    site.imports(&vendor.license(|l| l.in_both_modes().feature("export"))).done();
}
