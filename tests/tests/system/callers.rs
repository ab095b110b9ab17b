//! Who is calling: what is missing, unknown or contradictory has its own code, at every door.

use serde_json::json;

use farhold_contract::{
    Code,
    model::RuntimeType::{Courses, Labs},
};
use farhold_tests::site::{Call, Runtime, Site, TENANT_B, Vendor, ids};

/// A site with two registered runtimes.
fn site() -> (Site, Runtime, Runtime) {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let (a, b) = (site.runtime(Courses).registered(), site.runtime(Labs).registered());
    (site, a, b)
}

/// Every call that a registered runtime makes.
fn calls(runtime: &Runtime) -> Vec<Call> {
    vec![
        runtime.check("export").call(),
        runtime.heartbeat(),
        runtime.tells(&runtime.event("login")),
        runtime.post(
            "/kernel/identity/resolve",
            &json!({"tenant_id": runtime.tenant(), "external_token": "t"}),
        ),
        runtime.call("GET", "/kernel/bundle"),
    ]
}

#[test]
fn a_missing_header_has_a_code_of_its_own_at_both_doors() {
    let (site, courses, _) = site();
    for door in site.doors() {
        for call in calls(&courses) {
            let without = |name: &str| call.clone().at(&door).without(name).answer();
            without("x-contract-version").refused(Code::ContractVersionMissing);
            without("x-correlation-id").refused(Code::CorrelationMissing);
            without("authorization").refused(Code::AuthMissing);
            without("x-tenant-id").refused(Code::TenantMissing);
            without("x-runtime-id").refused(Code::RuntimeMissing);
        }
    }
}

#[test]
fn a_header_that_says_nothing_usable_counts_as_missing() {
    let (site, courses, _) = site();
    let call = courses.check("export").call();
    for door in site.doors() {
        let with = |name: &str, value: &str| call.clone().at(&door).with(name, value).answer();
        for version in ["v0.3", "0.1", "V0.1", "v0.1, v0.2"] {
            with("x-contract-version", version).refused(Code::ContractUnsupportedVersion);
        }
        with("x-correlation-id", &"c".repeat(129)).refused(Code::CorrelationMissing);
        with("x-correlation-id", "two words").refused(Code::CorrelationMissing);
        for nobody in ["Basic dXNlcjpwYXNz", "Bearer", "Bearer  ", courses.token()] {
            with("authorization", nobody).refused(Code::AuthMissing);
        }
        for id in [
            "",
            "x",
            "00000000-0000-4000-8000-000000000000",
            "01939B6E-3C5F-7A31-8B53-0F6F1C2D3E4F",
        ] {
            with("x-tenant-id", id).refused(Code::TenantMissing);
            with("x-runtime-id", id).refused(Code::RuntimeMissing);
        }
        for name in ["x-tenant-id", "x-runtime-id", "x-contract-version", "authorization"] {
            let twice = call.clone().at(&door).also(name, "x");
            twice.answer().refused(Code::RequestMalformed);
        }
    }
}

#[test]
fn only_a_known_token_in_force_speaks() {
    let (site, courses, labs) = site();
    let new = site.runtime(Courses);
    for door in site.doors() {
        for call in calls(&courses) {
            let unknown = format!("Bearer fhr_{}", "0".repeat(64));
            call.at(&door).with("authorization", &unknown).answer().refused(Code::AuthInvalid);
        }
        let check = courses.check("export").call().at(&door);
        let lent = check.clone().with("authorization", &format!("Bearer {}", new.token()));
        lent.answer().refused(Code::RuntimeNotRegistered);
        check.answer().ok();
    }
    site.verb(["token", "revoke", labs.token_id()]).done();
    for door in site.doors() {
        for call in calls(&labs) {
            call.at(&door).answer().refused(Code::AuthInvalid);
        }
        labs.registers().at(&door).answer().refused(Code::AuthInvalid);
    }
    let metrics = site.admin("GET", "/metrics").answer();
    let text = String::from_utf8(metrics.bytes().to_vec()).unwrap();
    assert!(text.contains("farhold_unauthenticated_calls_total 22\n"), "{text}");
}

#[test]
fn headers_path_and_body_agree_with_the_token_at_both_doors() {
    let (site, a, b) = site();
    for door in site.doors() {
        for call in calls(&a) {
            let with = |name: &str, value: &str| call.clone().at(&door).with(name, value).answer();
            with("x-tenant-id", TENANT_B).refused(Code::TenantMismatch);
            with("x-runtime-id", b.id()).refused(Code::RuntimeMismatch);
            with("x-runtime-id", &ids::v7()).refused(Code::RuntimeMismatch);
        }
        let says =
            |member: &str, value: &str| a.check("export").at(&door).saying(member, json!(value));
        says("tenant_id", TENANT_B).refused(Code::TenantMismatch);
        says("runtime_id", b.id()).refused(Code::RuntimeMismatch);

        let others_path = format!("/kernel/runtimes/{}/heartbeat", b.id());
        let heartbeat = a.post(&others_path, &json!({"status": "healthy"})).at(&door);
        heartbeat.answer().refused(Code::RuntimeMismatch);

        let told = |member: &str, value: &str| {
            a.tells(&a.event("login").saying(member, json!(value))).at(&door).answer()
        };
        told("tenant_id", TENANT_B).refused(Code::TenantMismatch);
        told("runtime_id", b.id()).refused(Code::RuntimeMismatch);

        let mut statement = a.statement();
        statement["tenant_id"] = json!(TENANT_B);
        let registers = a.post("/kernel/runtimes/register", &statement).at(&door);
        registers.answer().refused(Code::TenantMismatch);
        let mut statement = a.statement();
        statement["runtime_type"] = json!("labs");
        let registers = a.post("/kernel/runtimes/register", &statement).at(&door);
        registers.answer().refused(Code::RuntimeMismatch);
        let mut statement = a.statement();
        statement["runtime_id"] = json!(b.id());
        let registers = a.post("/kernel/runtimes/register", &statement).at(&door);
        registers.answer().refused(Code::RuntimeMismatch);
    }
}

#[test]
fn one_token_is_one_runtime_and_an_id_belongs_to_one() {
    let (site, a, _) = site();
    let again = a.clone().of_version("5.0.0").registered();
    assert_eq!(again.id(), a.id(), "a later registration returns the same id");

    let new = site.runtime(Courses);
    let mut statement = new.statement();
    statement["runtime_id"] = json!(a.id());
    let taken = new.post("/kernel/runtimes/register", &statement);
    taken.answer().refused(Code::RuntimeIdTaken);

    let own = ids::v7();
    statement["runtime_id"] = json!(own);
    let registered = new.post("/kernel/runtimes/register", &statement).answer().ok();
    assert_eq!(registered["runtime_id"], own.as_str(), "an id minted elsewhere is adopted");
    statement["runtime_id"] = json!(ids::v7());
    let other = new.post("/kernel/runtimes/register", &statement);
    other.answer().refused(Code::RuntimeMismatch);
}

#[test]
fn without_a_word_of_the_vendor_nothing_is_allowed_and_nobody_registers() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let courses = site.runtime(Courses);
    courses.registers().answer().refused(Code::LicenseMissing);
    let site = site.trusting();
    courses.registers().answer().refused(Code::LicenseMissing);
    assert!(site.suffers("bundle_missing"));
    let for_labs = vendor.license(|l| l.feature("export").only_for(Labs));
    site.imports(&for_labs).done();
    courses.registers().answer().refused(Code::RuntimeNotLicensed);
}

#[test]
fn an_agent_without_configuration_is_ready_and_says_so() {
    let vendor = Vendor::new();
    let site = Site::planned(&vendor, |plan| plan.undecided());
    let status = site.status();
    assert!(status.get("mode").is_none(), "{status}");
    assert_eq!(status["ready"], false);
    assert!(site.suffers("not_enrolled"));
    site.verb(["token", "create", "--type", "courses"]).refused(Code::TenantMissing);
    let license = vendor.license(|l| l.feature("export"));
    let site = site.trusting();
    site.imports(&license).refused(Code::TenantMismatch);
}
