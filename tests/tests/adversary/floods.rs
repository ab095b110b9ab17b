//! Floods: what one agent makes up without end must not become what everybody waits for.

use serde_json::json;

use farhold_audit::{Epoch, Head, Previous};
use farhold_tests::{
    kernel_process::Kernel,
    site::{TENANT, Vendor, ids},
};

use crate::rogue::{Rogue, bytes};

/// A past that never was.
pub(crate) fn made_up() -> Previous {
    let [one, other] = [bytes(), bytes()];
    let head = [one, other].concat().try_into().unwrap();
    Previous { epoch: Epoch::new(bytes()), seq: 7, head: Head::new(head) }
}

#[test]
fn an_agent_with_a_thousand_made_up_pasts_is_not_asked_for_all_of_them() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    for _ in 0..1_000 {
        let run = rogue.run(made_up(), &[(TENANT, "login", "user")]);
        assert_eq!(rogue.pushes(&run).status, 200);
    }
    let answer = rogue.reports(&json!({})).json().unwrap();
    let asked = answer["backfill"].as_array().unwrap().len();
    assert!((1..=256).contains(&asked), "asked for {asked} runs");
}

#[test]
fn a_report_says_nothing_of_runtimes_that_are_not_its_own_and_no_novel_of_those_that_are() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let runtime = ids::v7();
    assert_eq!(registers(&mut rogue, &runtime), 200);
    let reported = |version: &str| {
        json!({"runtimes": [{
            "tenant_id": TENANT, "runtime_id": runtime, "type": "courses", "version": version,
        }]})
    };
    let answer = rogue.reports(&reported(&"9".repeat(400_000)));
    assert_eq!(answer.json().unwrap()["code"], "request.malformed");
    assert_eq!(rogue.reports(&reported("2.0.0")).status, 200);
    assert_eq!(kernel.runtimes(TENANT)[0]["version"], "2.0.0");
}

/// An agent's chain forks when its state is restored: a few times in its life.
#[test]
fn an_agent_that_begins_epochs_and_branches_without_end_is_told_to_stop() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let stops = (0..5_000).any(|_| {
        let run = rogue.run(Previous::NONE, &[(TENANT, "login", "user")]);
        rogue.pushes(&run).status == 429
    });
    assert!(stops, "5,000 epochs of one device key");
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let first = rogue.run(Previous::NONE, &[(TENANT, "login", "user")]);
    let stops = (0..5_000).any(|_| {
        let fork = rogue.run_after(first.opening, first.before, &[(TENANT, "login", "user")]);
        rogue.pushes(&fork).status == 429
    });
    assert!(stops, "5,000 branches of one epoch");
}

/// Every runtime is held in the Kernel's memory, and read at each start.
#[test]
fn an_agent_registers_no_more_runtimes_than_a_site_has() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let refused = (0..12_000).any(|_| registers(&mut rogue, &ids::v7()) != 200);
    assert!(refused, "12,000 runtimes of one agent");
}

fn registers(rogue: &mut Rogue, runtime: &str) -> u16 {
    let body = json!({
        "tenant_id": TENANT, "runtime_type": "courses", "deployment_mode": "on_prem",
        "version": "1.0.0", "capabilities": [], "runtime_id": runtime,
    });
    let body = body.to_string();
    rogue.call_as(TENANT, None, "POST", "/kernel/runtimes/register", body.as_bytes()).status
}
