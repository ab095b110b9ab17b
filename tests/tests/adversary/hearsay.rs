//! Hearsay: what an agent signs is the agent's word, and nobody else's.

use farhold_audit::Previous;
use farhold_tests::{
    kernel_process::Kernel,
    site::{TENANT, Vendor},
};

use crate::rogue::Rogue;

#[test]
fn an_agent_writes_no_event_in_the_kernels_name() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let run = rogue.run(
        Previous::NONE,
        &[
            (TENANT, "kernel.tenant.suspended", "system"),
            (TENANT, "agent.started", "system"),
            (TENANT, "login", "user"),
        ],
    );
    let answer = rogue.pushes(&run).json().unwrap();
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1, "{answer}");
    assert_eq!((&refused[0]["seq"], &refused[0]["code"]), (&1.into(), &"event.refused".into()));
    assert!(kernel.audit_of_type(TENANT, "kernel.tenant.suspended").is_empty());
    kernel.verifies();
}
