//! Licenses at one site: tenant, mode, binding, features apart.

use serde_json::{Value, json};

use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{Key, TENANT_B, Vendor, device, license_id, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = tenants_and_modes();
    vectors.extend(bindings());
    vectors.extend(features());
    vectors
}

fn vendor() -> Vendor {
    Vendor::new(1)
}

fn license(changes: Value) -> Vec<u8> {
    vendor().sign_license(&with(vendor().license_json(1), changes))
}

fn import(title: &str, lines: &[Vec<u8>]) -> Case {
    Case::import(title, "§4.2", &[vendor().root_line()], lines)
}

fn of_tenant_b() -> Value {
    let mut tenant = vendor().license_json(1)["tenant"].clone();
    tenant["tenant_id"] = json!(TENANT_B);
    json!({ "tenant": tenant })
}

fn tenants_and_modes() -> Vec<(&'static str, Vector)> {
    let mut suspended = vendor().license_json(1)["tenant"].clone();
    suspended["status"] = json!("suspended");
    let unbound = || license(json!({ "modes": ["detached"], "binding": "none" }));
    let both = license(json!({ "modes": ["detached", "managed"], "binding": "none" }));
    vec![
        (
            "own-tenant",
            import("A license for this site's tenant", &[license(json!({}))])
                .at_site()
                .taken(ONE_LICENSE),
        ),
        (
            "another-tenant",
            import("Tenant B's license at A", &[license(of_tenant_b())])
                .at_site()
                .refused_at(1, Code::TenantMismatch),
        ),
        (
            "another-tenant-beside-the-own",
            import(
                "One line for another site refuses the bundle",
                &[license(json!({})), license(of_tenant_b())],
            )
            .at_site()
            .refused_at(2, Code::TenantMismatch),
        ),
        (
            "another-tenant-without-a-site",
            import("Without a site nobody asks whose license it is", &[license(of_tenant_b())])
                .taken(ONE_LICENSE),
        ),
        (
            "suspended-status",
            import(
                "A tenant's status inside a license is ignored",
                &[license(json!({ "tenant": suspended }))],
            )
            .at_site()
            .taken(ONE_LICENSE),
        ),
        (
            "managed-license-at-a-detached-site",
            import("A managed license at a detached site", &[license(json!({}))])
                .at_detached_site()
                .refused_at(1, Code::LicenseMode),
        ),
        (
            "detached-license-at-a-managed-site",
            import("A detached license at a managed site", &[unbound()])
                .at_site()
                .refused_at(1, Code::LicenseMode),
        ),
        (
            "detached-license-at-a-detached-site",
            import("An unbound license at a detached site", &[unbound()])
                .at_detached_site()
                .taken(ONE_LICENSE),
        ),
        (
            "license-for-both-modes",
            import("A license for both modes", &[both]).at_detached_site().taken(ONE_LICENSE),
        ),
    ]
}

fn bindings() -> Vec<(&'static str, Vector)> {
    let detached = |binding| license(json!({ "modes": ["detached"], "binding": binding }));
    let bound_to = |key: &Key| detached(json!({ "device_key": key.public() }));
    let components = [("board", "aa"), ("disk", "bb"), ("nic", "cc")]
        .map(|(name, byte)| (name.to_owned(), byte.repeat(8)));
    let two_of_three = || {
        let components: serde_json::Map<_, _> =
            components.iter().map(|(name, hash)| (name.clone(), json!(hash))).collect();
        detached(json!({ "fingerprint": { "components": components, "require": 2 } }))
    };
    let at_machine = |title, machine: &[(String, String)]| {
        import(title, &[two_of_three()]).at_detached_site().with(|vector| {
            let site = vector.site.as_mut().expect("it has just been given one");
            site.fingerprint = machine.iter().cloned().collect();
        })
    };
    let mut changed = components.clone();
    changed[2].1 = "ff".repeat(8);
    let mut changed_twice = changed.clone();
    changed_twice[1].1 = "ff".repeat(8);
    vec![
        (
            "bound-to-this-device",
            import("A license bound to this device", &[bound_to(&device())])
                .at_detached_site()
                .taken(ONE_LICENSE),
        ),
        (
            "bound-to-another-device",
            import("A license bound to another device", &[bound_to(&Key::new(b"another device"))])
                .at_detached_site()
                .refused_at(1, Code::LicenseBinding),
        ),
        (
            "fingerprint-whole",
            at_machine("Every component is this machine's", &components).taken(ONE_LICENSE),
        ),
        (
            "fingerprint-one-changed",
            at_machine("One of three changed", &changed).taken(ONE_LICENSE),
        ),
        (
            "fingerprint-one-unread",
            at_machine("One of three can't be read", &components[1..]).taken(ONE_LICENSE),
        ),
        (
            "fingerprint-two-changed",
            at_machine("Two of three changed", &changed_twice).refused_at(1, Code::LicenseBinding),
        ),
        (
            "fingerprint-unread",
            at_machine("Nothing can be read", &[]).refused_at(1, Code::LicenseBinding),
        ),
    ]
}

fn features() -> Vec<(&'static str, Vector)> {
    let labs = |entitlement: Value, changes: Value| {
        let of_labs = json!({ "product": "labs", "license_id": license_id(2), "entitlements": [entitlement] });
        license(with(of_labs, changes))
    };
    let same = || json!({ "feature": "live.rooms", "runtime_type": "courses" });
    let two = |title, other: Vec<u8>| import(title, &[license(json!({})), other]);
    let both = || Stands { outcomes: &["new"; 2], serials: &[1, 1], ..ONE_NEW };
    let waiting = json!({ "not_before": "8000-01-01T00:00:00Z", "expires_on": "8000-12-31" });
    let lasting = || license(json!({ "expires_on": "9000-12-31" }));
    let ended = || json!({ "not_before": "2026-01-01T00:00:00Z", "expires_on": "2026-12-31" });
    let follows = |from: &str| json!({ "not_before": from, "expires_on": "2029-01-31" });
    vec![
        (
            "feature-of-two-products",
            two("Two products grant one feature to one type", labs(same(), json!({})))
                .refused(Code::LicenseFeatureConflict),
        ),
        (
            "feature-of-a-product-for-everyone",
            two(
                "One of two products grants it to every runtime",
                labs(json!({ "feature": "live.rooms" }), json!({})),
            )
            .refused(Code::LicenseFeatureConflict),
        ),
        (
            "feature-of-a-product-that-waits",
            import("Also where one of the licenses waits", &[lasting(), labs(same(), waiting)])
                .refused(Code::LicenseFeatureConflict),
        ),
        (
            "feature-of-two-products-for-two-types",
            two(
                "Two products grant one feature to two types",
                labs(json!({ "feature": "live.rooms", "runtime_type": "labs" }), json!({})),
            )
            .taken(both()),
        ),
        (
            "feature-of-two-products-for-two-tenants",
            two("Two products grant one feature to two tenants", labs(same(), of_tenant_b()))
                .taken(both()),
        ),
        (
            "feature-of-a-license-past-its-stop",
            import(
                "A license past its stop grants nothing to conflict with",
                &[license(ended()), labs(same(), json!({}))],
            )
            .taken(both()),
        ),
        (
            "feature-of-a-license-in-its-grace",
            import(
                "In its grace it does",
                &[
                    license(with(ended(), json!({ "ladder": { "grace": "P1Y" } }))),
                    labs(same(), json!({})),
                ],
            )
            .refused(Code::LicenseFeatureConflict),
        ),
        (
            "feature-that-moves-to-another-product",
            two(
                "One is over before the other begins",
                labs(same(), follows("2028-02-01T12:00:00Z")),
            )
            .taken(both()),
        ),
        (
            "feature-that-moves-too-early",
            two("One is not yet over", labs(same(), follows("2028-02-01T11:59:59Z")))
                .refused(Code::LicenseFeatureConflict),
        ),
        (
            "feature-past-its-own-end",
            two(
                "An entitlement past its own end conflicts with nothing",
                labs(with(same(), json!({ "valid_until": "2027-05-31T00:00:00Z" })), json!({})),
            )
            .taken(both()),
        ),
        (
            "feature-of-a-revoked-license",
            import(
                "A revoked license grants nothing to conflict with",
                &[
                    license(json!({})),
                    labs(same(), json!({})),
                    vendor().revocations_line(1, &[license_id(1)]),
                ],
            )
            .taken(Stands { outcomes: &["new"; 3], revocations: 1, ..both() }),
        ),
    ]
}
