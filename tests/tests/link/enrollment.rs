//! How a site gets its standing, and everything that may go wrong on the way.

use std::{fs, thread};

use farhold_contract::{Code, call::enroll::EnrollToken, model::RuntimeType::Courses};
use farhold_tests::{
    kernel_process::{EnrollmentToken, Kernel, LinkedSite},
    net::{Behavior, ConnectProxy},
    site::{TENANT, TENANT_B, Vendor, eventually},
};

use crate::stage::Stage;

fn kernel_of(vendor: &Vendor) -> Kernel {
    let kernel = Kernel::start(vendor);
    kernel.has_tenant(TENANT).holds(&vendor.license(|l| l.managed().feature("export")));
    kernel
}

/// The same token with something else in it.
fn altered(token: &EnrollmentToken, words: impl FnOnce(&mut EnrollToken)) -> EnrollmentToken {
    let mut other: EnrollToken = token.text.parse().unwrap();
    words(&mut other);
    let file = token.file.with_extension("altered");
    fs::write(&file, other.to_text()).unwrap();
    EnrollmentToken { id: token.id.clone(), text: other.to_text(), file }
}

#[test]
fn an_enrollment_whose_answer_was_lost_is_repeated_with_the_same_token() {
    let vendor = Vendor::new();
    let (kernel, network) = Kernel::behind_a_network(&vendor, |plan| plan);
    kernel.has_tenant(TENANT).holds(&vendor.license(|l| l.managed().feature("export")));
    let site = LinkedSite::new(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    network.turns(Behavior::CutAnswer);
    let lost = thread::scope(|scope| {
        let asking = scope.spawn(|| site.enrolls(&token));
        eventually("the Kernel took it in", || !kernel.agents().is_empty());
        network.turns(Behavior::Refuse);
        asking.join().unwrap()
    });
    lost.refused(Code::KernelUnreachable);
    assert!(site.suffers("not_enrolled"));
    network.turns(Behavior::Pass);
    site.enrolls(&token).done();
    site.is_ready();
    let courses = site.runtime_of(TENANT, Courses).registered();
    site.comes_online(&courses, "export");
    assert_eq!(kernel.agents().len(), 1);
    assert_eq!(kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_token_is_for_one_device_and_its_second_use_is_told() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    let first = LinkedSite::new(&vendor);
    first.enrolls(&token).done();
    first.is_ready();
    let second = LinkedSite::new(&vendor);
    second.enrolls(&token).refused(Code::EnrollTokenUsed);
    assert!(second.suffers("not_enrolled"));
    assert_eq!(kernel.alert_codes(), ["enroll.token_reused"]);
    assert_eq!(kernel.agents().len(), 1);
}

#[test]
fn a_token_that_is_revoked_or_made_up_opens_nothing() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    let made_up = altered(&token, |token| token.secret = EnrollToken::secret_text(&[7; 32]));
    let site = LinkedSite::new(&vendor);
    site.enrolls(&made_up).refused(Code::EnrollTokenInvalid);
    kernel.verb(["enroll-token", "revoke", &token.id]).done();
    site.enrolls(&token).refused(Code::EnrollTokenInvalid);
    assert!(kernel.agents().is_empty());
}

#[test]
fn a_kernel_that_is_not_the_tokens_is_told_nothing() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    let site = LinkedSite::new(&vendor);
    let wrong_ca = altered(&token, |token| token.ca_sha256 = token.root_sha256);
    site.enrolls(&wrong_ca).refused(Code::KernelUntrusted);
    assert!(kernel.agents().is_empty(), "the secret was not sent");
    site.enrolls(&token).done();
    site.is_ready();
}

#[test]
fn a_kernel_under_another_name_than_its_certificates_is_told_nothing() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    // Such a proxy finds every name on this machine.
    let proxy = ConnectProxy::open();
    let mut site = LinkedSite::prepared(&vendor).through(proxy.address());
    site.started();
    let other = altered(&token, |it| it.url = it.url.replace("127.0.0.1", "other.example"));
    site.enrolls(&other).refused(Code::KernelUntrusted);
    assert!(proxy.asked().iter().any(|asked| asked.status == 200), "the Kernel was reached");
    assert!(kernel.agents().is_empty(), "the secret was not sent");
}

#[test]
fn a_root_that_is_not_the_tokens_is_not_installed() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    let site = LinkedSite::new(&vendor);
    let wrong_root = altered(&token, |token| token.root_sha256 = token.ca_sha256);
    let ran = site.enrolls(&wrong_root);
    assert_ne!(ran.exit, 0, "{ran:?}");
    assert!(site.suffers("not_enrolled"));
    site.enrolls(&token).done();
    site.is_ready();
}

#[test]
fn an_enrolled_site_is_not_enrolled_again_by_mistake() {
    let stage = Stage::set();
    let token = stage.kernel.enrollment_token(&[TENANT]);
    stage.site.enrolls(&token).refused(Code::EnrollAlready);
    stage.courses.check("export").allowed();
}

#[test]
fn a_detached_site_is_never_enrolled() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    let site = farhold_tests::site::Site::new(&vendor);
    let ran = site.verb(["enroll", token.file.to_str().unwrap()]);
    assert_ne!(ran.exit, 0, "{ran:?}");
    assert!(kernel.agents().is_empty());
}

#[test]
fn a_token_for_an_organization_that_is_not_there_is_not_made() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    kernel.verb(["enroll-token", "create", "--tenant", TENANT_B]).refused(Code::RequestNotFound);
}

#[test]
fn the_verb_after_an_enrollment_is_answered_and_so_is_the_one_after_that() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    let site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
    for _ in 0..20 {
        site.verb(["status"]).done();
    }
}

#[test]
fn an_agent_told_to_stop_while_it_takes_its_enrollment_in_stops() {
    let vendor = Vendor::new();
    let kernel = kernel_of(&vendor);
    for _ in 0..3 {
        let mut site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
        site.stopped();
    }
}
