//! Switches: a flag thrown at the Kernel reaches its own products and those of its sites.

use serde_json::{Value, json};

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::site::{Runtime, TENANT, TENANT_B, eventually};

use crate::stage::Stage;

fn flags(runtime: &Runtime) -> Value {
    let answer = runtime.flags().answer().ok();
    let pair = |flag: &Value| (flag["key"].as_str().unwrap().to_owned(), flag["value"].clone());
    answer["flags"].as_array().unwrap().iter().map(pair).collect()
}

#[test]
fn a_kill_switch_uploaded_to_the_kernel_is_thrown_there_and_at_the_site_without_a_restart() {
    let stage = Stage::set();
    let tunnel = stage.kernel.tunnel(None);
    let direct = stage.kernel.runtime(&tunnel.door(), TENANT, Courses).registered();
    assert_eq!(flags(&direct), json!({}));
    assert_eq!(flags(&stage.courses), json!({}));
    let tag = direct.flags().answer().header("etag").expect("a tag").to_owned();
    let switched = stage.vendor.license(|l| {
        l.managed()
            .renewing(&stage.license)
            .feature("exams")
            .flag_for("proctoring", "false", ">=4.2.0, <4.2.5")
            .flag_for("old", "true", "<4.0.0")
    });
    stage.kernel.holds(&switched);
    eventually("the Kernel's own product is told", || {
        flags(&direct) == json!({"proctoring": false})
    });
    let same = direct.flags().with("if-none-match", &tag).answer();
    assert_eq!(same.answer.status, 200, "it is another answer than before");
    eventually("the site's product is told", || {
        flags(&stage.courses) == json!({"proctoring": false})
    });
    let tag = stage.courses.flags().answer().header("etag").expect("a tag").to_owned();
    let same = stage.courses.flags().with("if-none-match", &tag).answer();
    assert_eq!(same.answer.status, 304);
    // By organization: another one at the same Kernel has its own license's, or none.
    stage.kernel.has_tenant(TENANT_B);
    let others = stage
        .vendor
        .license(|l| l.managed().tenant(TENANT_B).feature("exams").flag("proctoring", "true"));
    stage.kernel.holds(&others);
    let other = stage.kernel.runtime(&tunnel.door(), TENANT_B, Courses).registered();
    assert_eq!(flags(&other), json!({"proctoring": true}));
    assert_eq!(flags(&direct), json!({"proctoring": false}));
}
