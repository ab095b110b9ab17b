//! Replaced CA: a site sleeps while its Kernel's CA is replaced, and a root carried by hand brings
//! it back.

use std::fs;

use farhold_tests::site::eventually;

use crate::stage::Stage;

const END: &str = "-----END CERTIFICATE-----";

#[test]
fn a_ca_that_was_rotated_with_the_old_ones_word_strands_nobody() {
    let mut stage = Stage::set();
    stage.site.stopped();
    stage.kernel.stopped();
    let rotated = stage.kernel.verb(["ca", "rotate"]).done();
    assert_ne!(rotated["ca_sha256"], rotated["before_sha256"]);
    stage.kernel.started();
    stage.site.started();
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
}

/// The old CA was stolen or lost: nothing of it is left at the Kernel, and nobody vouches.
#[test]
fn a_root_carried_by_hand_repairs_a_site_that_slept_through_the_end_of_its_kernels_ca() {
    let mut stage = Stage::set();
    stage.site.drains();
    stage.site.stopped();
    stage.kernel.stopped();
    let rotated = stage.kernel.verb(["ca", "rotate"]).done();
    let new = rotated["ca_sha256"].as_str().unwrap().to_owned();
    let file = stage.kernel.data().join("ca.pem");
    let all = fs::read_to_string(&file).unwrap();
    let first = all.find(END).unwrap() + END.len();
    fs::write(&file, format!("{}\n", &all[..first])).unwrap();
    stage.kernel.started();
    stage.site.started();
    stage.courses.check("exams").allowed();
    eventually("it knows why it can't be heard", || {
        let status = stage.site.status();
        status["link"]["failing"].as_str().is_some_and(|why| !why.is_empty())
    });
    assert_eq!(stage.site.status()["link"]["state"], "offline");

    let root = stage.vendor.changes_root(&format!("renew --kernel-ca {new}"));
    let told = stage.site.previews(&root);
    assert_eq!(told["changes"]["trust"]["kernel_ca_added"][0], new, "{told:#}");
    stage.site.imports(&root).done();
    stage.site.comes_online(&stage.courses, "exams");
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.kernel_has_all_of_it_once();
}
