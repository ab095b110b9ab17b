//! Sites: what a next root does to what stands there.

use farhold_bundle::{Envelope, Standing, TrustRoot, plan_import};
use farhold_contract::Code;

use crate::{
    NEXT_AT,
    desk::{Desk, ISSUED_AT, at},
};

#[test]
fn the_kernels_new_ca_and_key_reach_a_sleeping_site_by_the_root() {
    let desk = Desk::new();
    let (old, new) = ("a1".repeat(32), "b2".repeat(32));
    desk.root_init("root.1.json", &["--kernel-ca", &old]);
    let kernel = desk.keygen("kernel-2");
    let drafted = desk.done(&format!(
        "root renew --kernel-ca {new} --remove-kernel-ca {old} --kernel-key {kernel} \
         --root root.1.json --years 5 --out draft.json --json"
    ));
    assert_eq!(drafted["root"]["kernel_ca"], serde_json::json!([new]));
    desk.done("root sign draft.json --root root.1.json --key root.key --out root.2.json");
    desk.done("bundle root.2.json --root root.1.json --out site.bundle");
    let site = Standing::with_trust(installed(&desk, "root.1.json"));
    let after =
        plan_import(&site, &desk.read("site.bundle"), None, at(ISSUED_AT)).unwrap().standing;
    let root = after.root().unwrap().root();
    assert_eq!(root.kernel_ca, [new.parse().unwrap()]);
    assert_eq!(root.roles.kernel.key_ids.len(), 2, "the old receipt key still receipts");
    desk.refused(
        &format!("root renew --kernel-ca {new} --root root.2.json --out x.json"),
        65,
        "root.invalid",
    );
}

#[test]
fn what_a_rotated_key_signed_stays_and_what_a_revoked_key_signed_falls() {
    let desk = Desk::new();
    desk.keygen("license-2");
    desk.issue(1, "license.json");
    for (revoke, out) in [("", "rotated.json"), ("--revoke", "revoked.json")] {
        desk.done(&format!(
            "root rotate license --old license --new license-2.key {revoke} --root root.json \
             --expires 9000-01-01 --at {NEXT_AT} --out draft-{out}"
        ));
        desk.done(&format!("root sign draft-{out} --root root.json --key root.key --out {out}"));
    }
    let site = Standing::with_trust(installed(&desk, "root.json"));
    let now = at("2027-01-01T00:00:00Z");
    let site = plan_import(&site, &desk.read("license.json"), None, now).unwrap().standing;

    let rotated = plan_import(&site, &desk.read("rotated.json"), None, now).unwrap();
    assert!(rotated.fallen.is_empty());
    assert_eq!(rotated.standing.licenses().len(), 1, "what was accepted stays");
    let revoked = plan_import(&site, &desk.read("revoked.json"), None, now).unwrap();
    assert_eq!(revoked.fallen.len(), 1);
    assert!(revoked.standing.licenses().is_empty());

    // New words are by the new key alone.
    let late = plan_import(
        &Standing::with_trust(installed(&desk, "root.json")),
        &[desk.read("rotated.json"), desk.read("license.json")].concat(),
        None,
        now,
    );
    assert_eq!(late.unwrap_err().code(), Code::SignatureKeyUnknown);
    for (root, code) in
        [("rotated.json", "signature.key_unknown"), ("revoked.json", "signature.key_revoked")]
    {
        desk.refused(
            &format!("issue acme.toml --key license.key --root {root} --serial 2 --out x.json"),
            5,
            code,
        );
        let issue = "issue acme.toml --key license-2.key --serial 2";
        desk.done(&format!("{issue} --root {root} --at {NEXT_AT} --out by-{root}"));
    }
}

#[test]
fn an_ended_root_takes_nothing_new_until_the_next_one_comes() {
    let desk = Desk::new();
    desk.root_init("old.json", &["--expires", "2026-11-20"]);
    let issue = "issue acme.toml --key license.key --serial 1";
    desk.done(&format!("{issue} --root old.json --at 2026-11-10T00:00:00Z --out license.json"));
    let site = Standing::with_trust(installed(&desk, "old.json"));
    let (in_time, later) = (at("2026-11-15T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let site = plan_import(&site, &desk.read("license.json"), None, in_time).unwrap().standing;
    desk.refused(&format!("{issue} --root old.json --out x.json"), 5, "trust.root_expired");

    // The next one is made under the ended one, which still chains.
    desk.refused_by_its_end();
    desk.done("root renew --root old.json --expires 9000-01-01 --out draft.json");
    desk.done("root sign draft.json --root old.json --key root.key --out next.json");
    desk.done(&format!(
        "issue acme.toml --key license.key --serial 2 --root next.json --at {ISSUED_AT} \
         --out license.2.json"
    ));
    let alone = plan_import(&site, &desk.read("license.2.json"), None, later).unwrap_err();
    assert_eq!(alone.code(), Code::TrustRootExpired);
    assert_eq!(site.licenses().len(), 1, "what is in force stays");
    let both = [desk.read("license.2.json"), desk.read("next.json")].concat();
    let after = plan_import(&site, &both, None, later).unwrap().standing;
    assert_eq!((after.root().unwrap().version(), after.licenses().len()), (2, 2));
}

impl Desk {
    /// A next root that has ended already chains, and would bring in nothing: nobody signs it.
    fn refused_by_its_end(&self) {
        self.done(
            "root renew --root old.json --expires 2026-11-21 --at 2026-11-10T00:00:00Z \
             --out ended.json",
        );
        self.refused(
            "root sign ended.json --root old.json --key root.key --out x.json",
            5,
            "trust.root_expired",
        );
    }
}

fn installed(desk: &Desk, name: &str) -> TrustRoot {
    let line = desk.read(name);
    let line = line.strip_suffix(b"\n").unwrap();
    assert!(Envelope::open(line).is_ok());
    TrustRoot::install(line, None).unwrap()
}
