//! Who is calling the Kernel: what is missing, unknown or contradictory has its own code.

use serde_json::json;

use farhold_contract::{
    Code,
    model::RuntimeType::{Courses, Labs},
};
use farhold_tests::{
    kernel_process::Kernel,
    net::Tunnel,
    site::{Call, Runtime, TENANT, TENANT_B, Vendor, ids},
};

/// A Kernel with two organizations, and products of both.
struct Callers {
    kernel: Kernel,
    tunnel: Tunnel,
    courses: Runtime,
    labs: Runtime,
    theirs: Runtime,
}

impl Callers {
    fn new() -> Self {
        let vendor = Vendor::new();
        let kernel = Kernel::start(&vendor);
        for tenant in [TENANT, TENANT_B] {
            let license = vendor.license(|l| l.managed().tenant(tenant).feature("export"));
            kernel.has_tenant(tenant).holds(&license);
        }
        let tunnel = kernel.tunnel(None);
        let product = |tenant, kind| kernel.runtime(&tunnel.door(), tenant, kind).registered();
        let (courses, labs) = (product(TENANT, Courses), product(TENANT, Labs));
        let theirs = product(TENANT_B, Courses);
        Self { kernel, tunnel, courses, labs, theirs }
    }
}

/// Every call that a registered runtime makes.
fn calls(runtime: &Runtime) -> [Call; 5] {
    let identity = json!({"tenant_id": runtime.tenant(), "external_token": "t"});
    [
        runtime.check("export").call(),
        runtime.heartbeat(),
        runtime.tells(&runtime.event("login")),
        runtime.tells_all(&[runtime.event("login")]),
        runtime.post("/kernel/identity/resolve", &identity),
    ]
}

#[test]
fn a_missing_header_has_a_code_of_its_own() {
    let callers = Callers::new();
    for call in calls(&callers.courses) {
        let without = |name: &str| call.clone().without(name).answer();
        without("x-contract-version").refused(Code::ContractVersionMissing);
        without("x-correlation-id").refused(Code::CorrelationMissing);
        without("authorization").refused(Code::AuthMissing);
        without("x-tenant-id").refused(Code::TenantMissing);
        without("x-runtime-id").refused(Code::RuntimeMissing);
    }
}

#[test]
fn a_header_that_says_nothing_usable_counts_as_missing() {
    let callers = Callers::new();
    let call = callers.courses.check("export").call();
    let with = |name: &str, value: &str| call.clone().with(name, value).answer();
    for version in ["v0.3", "0.1", "V0.1", "v0.1, v0.2"] {
        with("x-contract-version", version).refused(Code::ContractUnsupportedVersion);
    }
    with("x-correlation-id", &"c".repeat(129)).refused(Code::CorrelationMissing);
    with("x-correlation-id", "two words").refused(Code::CorrelationMissing);
    for nobody in ["Basic dXNlcjpwYXNz", "Bearer", callers.courses.token()] {
        with("authorization", nobody).refused(Code::AuthMissing);
    }
    for id in ["", "x", "00000000-0000-4000-8000-000000000000"] {
        with("x-tenant-id", id).refused(Code::TenantMissing);
        with("x-runtime-id", id).refused(Code::RuntimeMissing);
    }
    for name in ["x-tenant-id", "x-runtime-id", "x-contract-version", "authorization"] {
        call.clone().also(name, "x").answer().refused(Code::RequestMalformed);
    }
}

#[test]
fn only_a_known_token_in_force_speaks() {
    let callers = Callers::new();
    let (kernel, courses, labs) = (&callers.kernel, &callers.courses, &callers.labs);
    let new = kernel.runtime(&callers.tunnel.door(), TENANT, Courses);
    for call in calls(courses) {
        for unknown in ["fhr_".to_owned() + &"0".repeat(64), "fhr_".to_owned(), "x".to_owned()] {
            let shown = call.clone().with("authorization", &format!("Bearer {unknown}"));
            shown.answer().refused(Code::AuthInvalid);
        }
        let lent = call.with("authorization", &format!("Bearer {}", new.token()));
        lent.answer().refused(Code::RuntimeNotRegistered);
    }
    let words = ["runtime-token", "revoke", labs.token_id(), "--tenant", TENANT];
    kernel.verb(words).done();
    for call in calls(labs) {
        call.answer().refused(Code::AuthInvalid);
    }
    labs.registers().answer().refused(Code::AuthInvalid);
    courses.check("export").allowed();
}

#[test]
fn headers_path_and_body_agree_with_the_token() {
    let callers = Callers::new();
    let (a, b, theirs) = (&callers.courses, &callers.labs, &callers.theirs);
    for call in calls(a) {
        let with = |name: &str, value: &str| call.clone().with(name, value).answer();
        with("x-tenant-id", TENANT_B).refused(Code::TenantMismatch);
        for other in [b.id(), theirs.id(), &ids::v7()] {
            with("x-runtime-id", other).refused(Code::RuntimeMismatch);
        }
        // The token of one, and every header of another.
        let lent = call.with("x-tenant-id", TENANT_B).with("x-runtime-id", theirs.id());
        lent.answer().refused(Code::TenantMismatch);
    }
    let says = |member: &str, value: &str| a.check("export").saying(member, json!(value));
    says("tenant_id", TENANT_B).refused(Code::TenantMismatch);
    says("runtime_id", b.id()).refused(Code::RuntimeMismatch);

    let others_path = format!("/kernel/runtimes/{}/heartbeat", b.id());
    let heartbeat = a.post(&others_path, &json!({"status": "healthy"}));
    heartbeat.answer().refused(Code::RuntimeMismatch);

    let told = |member: &str, value: &str| {
        a.tells(&a.event("login").saying(member, json!(value))).answer()
    };
    told("tenant_id", TENANT_B).refused(Code::TenantMismatch);
    told("runtime_id", b.id()).refused(Code::RuntimeMismatch);

    for (member, value, code) in [
        ("tenant_id", TENANT_B, Code::TenantMismatch),
        ("runtime_type", "labs", Code::RuntimeMismatch),
        ("runtime_id", b.id(), Code::RuntimeMismatch),
    ] {
        let mut statement = a.statement();
        statement[member] = json!(value);
        a.post("/kernel/runtimes/register", &statement).answer().refused(code);
    }
    a.check("export").allowed();
    for tenant in [TENANT, TENANT_B] {
        assert!(callers.kernel.audit_of_type(tenant, "login").is_empty());
    }
    // Once a tenant's minute, and nothing else.
    assert!(callers.kernel.alert_codes().iter().all(|code| code == "tenant.mismatch"));
}
