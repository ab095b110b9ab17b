//! Taken over: a Kernel in other hands can take away, as a Kernel may, and nothing more.

use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use farhold_bundle::{Signer, payload::Receipt, seal};
use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_keys::FileSigner;
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{Document, Runtime, TENANT, Vendor, eventually},
};

use crate::{
    false_kernel::{Asked, FalseKernel, receipt_key},
    rogue::{device_key, hash, now},
};

struct Stage {
    vendor: Vendor,
    kernel: Kernel,
    license: Document,
    site: LinkedSite,
    courses: Runtime,
}

impl Stage {
    fn set() -> Self {
        let vendor = Vendor::new();
        let mut kernel = Kernel::start(&vendor);
        let license = vendor.license(|l| l.managed().feature("exams"));
        kernel.has_tenant(TENANT).holds(&license);
        let site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
        site.is_ready();
        let courses = site.runtime_of(TENANT, Courses).registered();
        site.comes_online(&courses, "exams");
        site.drains();
        kernel.killed();
        Self { vendor, kernel, license, site, courses }
    }

    fn dead_letters(&self) -> Vec<Value> {
        let told = self.site.verb(["queue", "dead-letters"]).done();
        told["dead_letters"].as_array().unwrap_or_else(|| panic!("{told}")).clone()
    }
}

/// The answer to a batch that confirms another head than the one signed, and refuses every record.
fn confirms_another_history(asked: &Asked, signer: &FileSigner) -> Value {
    let lines = zstd::decode_all(&asked.body[..]).unwrap();
    let first = lines.split(|byte| *byte == b'\n').next().unwrap();
    let envelope: Value = serde_json::from_slice(first).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let checkpoint: Value = serde_json::from_slice(&payload).unwrap();
    let receipt: Receipt = serde_json::from_value(json!({
        "device_key": checkpoint["device_key"], "epoch": checkpoint["epoch"],
        "seq": checkpoint["to_seq"], "head": hash(), "received_at": now(),
    }))
    .unwrap();
    let receipt: Value = serde_json::from_slice(&seal(&receipt, signer).unwrap()).unwrap();
    let (from, to) = (&checkpoint["from_seq"], &checkpoint["to_seq"]);
    let refused: Vec<Value> = (from.as_u64().unwrap()..=to.as_u64().unwrap())
        .map(|seq| json!({"seq": seq, "code": "event.refused", "detail": "so"}))
        .collect();
    json!({
        "epoch": checkpoint["epoch"], "seq": to, "head": hash(), "refused": refused,
        "receipt": receipt,
    })
}

#[test]
fn a_receipt_for_another_history_or_by_another_key_confirms_nothing() {
    let mut stage = Stage::set();
    stage.site.expecting("the Kernel has another history of this agent");
    stage.site.expecting("the Kernel's receipt is refused");
    let (stranger, _folder) = device_key();
    assert_ne!(stranger.public_key(), receipt_key(&stage.kernel).public_key());
    for signer in [receipt_key(&stage.kernel), stranger] {
        let before = stage.site.waiting();
        stage.courses.tells(&stage.courses.event("login")).answer().ok();
        let log = stage.site.log().len();
        let kernel = FalseKernel::in_place_of(&stage.kernel, json!({}), move |asked| {
            confirms_another_history(asked, &signer)
        });
        eventually("a receipt came", || {
            let told = stage.site.log().split_off(log);
            told.contains("another history") || told.contains("receipt is refused")
        });
        drop(kernel);
        assert!(stage.site.waiting() > before, "nothing of the queue is confirmed");
    }
}

#[test]
fn an_answer_whose_receipt_is_refused_leaves_nothing_else_behind() {
    let mut stage = Stage::set();
    stage.site.expecting("the Kernel has another history of this agent");
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    let signer = receipt_key(&stage.kernel);
    let _kernel = FalseKernel::in_place_of(&stage.kernel, json!({}), move |asked| {
        confirms_another_history(asked, &signer)
    });
    stage.site.logs("another history");
    assert_eq!(stage.dead_letters(), Vec::<Value>::new());
}

#[test]
fn a_suspension_dated_years_ahead_is_lifted_by_a_license_issued_later() {
    let stage = Stage::set();
    let word = json!({"status": "suspended", "server_time": "9999-12-31T23:59:59Z"});
    let kernel = FalseKernel::in_place_of(&stage.kernel, word, |_| json!({}));
    eventually("it is suspended", || {
        stage.courses.check("exams").answer().ok()["allowed"] == false
    });
    stage.courses.check("exams").denied(Code::RuntimeSuspended);
    drop(kernel);
    // Licenses are issued to the second.
    let second = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let word = second();
    eventually("a later second", || second() > word);
    let renewed = stage.vendor.license(|l| l.managed().renewing(&stage.license).feature("exams"));
    stage.site.imports(&renewed).done();
    stage.courses.check("exams").allowed();
}
