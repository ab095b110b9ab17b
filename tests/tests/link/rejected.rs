//! A Kernel that says no to the agent itself: it is said, and the product is served.

use farhold_tests::site::{TENANT, eventually};

use crate::stage::Stage;

#[test]
fn an_agent_the_kernel_rejects_says_so_and_serves_on() {
    let mut stage = Stage::set();
    let agent = stage.site.agent_id();
    stage.kernel.verb(["agent", "suspend", &agent]).done();
    eventually("it is said", || stage.site.suffers("auth_rejected"));
    stage.courses.check("export").consume(1).allowed();
    let event = stage.courses.event("login");
    stage.courses.tells(&event).answer().ok();
    assert!(stage.site.waiting() > 0);
    assert!(stage.kernel.audit_of_type(TENANT, "login").is_empty());

    stage.kernel.verb(["agent", "resume", &agent]).done();
    // It asks hourly now; whoever restarts it need not wait.
    stage.site.stopped().started();
    stage.site.comes_online(&stage.courses, "exams");
    assert!(!stage.site.suffers("auth_rejected"));
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.audit(TENANT).of_type("login"), [event.to_json()]);
}
