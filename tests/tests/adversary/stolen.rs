//! Stolen: a certificate that has ended is nobody's, on a connection that stands, too.

use std::time::{Duration, Instant};

use serde_json::json;

use farhold_tests::{
    kernel_process::Kernel,
    site::{TENANT, Vendor, eventually},
};

use crate::rogue::Rogue;

fn kernel(vendor: &Vendor) -> Kernel {
    let kernel = Kernel::planned(vendor, |plan| plan.certificates_for("3s"));
    kernel.has_tenant(TENANT);
    kernel
}

#[test]
fn a_connection_does_not_outlive_its_certificate_at_the_agents_calls() {
    let vendor = Vendor::new();
    let kernel = kernel(&vendor);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let target = format!("/kernel/agents/{}/bundle", rogue.agent);
    assert_eq!(rogue.call("GET", &target, b"").status, 200);
    eventually("the certificate ends", || {
        let answer = rogue.call("GET", &target, b"");
        answer.json().is_ok_and(|told| told["code"] == "certificate.unknown")
    });
}

#[test]
fn a_connection_does_not_outlive_its_certificate_at_the_other_calls() {
    let vendor = Vendor::new();
    let kernel = kernel(&vendor);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        if rogue.reports(&json!({})).json().unwrap()["code"] == "certificate.unknown" {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("twice its life later it still speaks for the agent");
}
