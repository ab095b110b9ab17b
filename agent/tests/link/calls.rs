//! The contract's calls: what goes out, and what comes back.

use bytes::Bytes;
use farhold_agent::link::{Pulled, Pushed};
use farhold_contract::{
    Code, Sha256Digest,
    call::{
        heartbeat::{Health, HeartbeatRequest, KernelStanding},
        register::RegisterRequest,
    },
    id::{RuntimeId, TenantId},
    model::{DeploymentMode, RuntimeType},
    version::ContractVersion,
};
use sha2::{Digest, Sha256};

use super::support::{Bench, Ca, Reply, Seen, Server, agent, http, tenant};

fn runtime() -> RuntimeId {
    "01976d3a-5b6c-7d8e-8f90-a1b2c3d4e5f8".parse().unwrap()
}

fn other_tenant() -> TenantId {
    "01976d3a-5b6c-7d8e-8f90-a1b2c3d4e5f9".parse().unwrap()
}

const BUNDLE: &str = "{\"a\":1}\n{\"b\":2}\n";

fn bundle_digest() -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(BUNDLE).into())
}

/// A Kernel newer than this build.
fn kernel(seen: &Seen) -> Reply {
    let json = |body: String| http(200, "application/json; charset=utf-8", "", body);
    let path = seen.line().split(' ').nth(1).unwrap();
    let head = "ab".repeat(32);
    match path {
        "/base/kernel/contract" => json(r#"{"versions":["v0.1","v0.2","v0.9"]}"#.to_owned()),
        "/base/kernel/runtimes/register" => json(format!(
            r#"{{"runtime_id":"{}","status":"registered","policies_applied":{{"security_level":"standard"}}}}"#,
            runtime()
        )),
        "/base/kernel/audit/batches" if seen.body == b"gap" => {
            let heads = format!(r#"[{{"epoch":"{}","seq":7,"head":"{head}"}}]"#, "0".repeat(32));
            let body = format!(r#"{{"code":"audit.gap","status":409,"heads":{heads}}}"#);
            http(409, "application/problem+json", "", body)
        }
        "/base/kernel/audit/batches" => json(format!(
            r#"{{"epoch":"{}","seq":9,"head":"{head}","refused":[{{"seq":8,"code":"event.too_new","detail":"why"}}],"receipt":{{ "kept":  "byte for byte" }}}}"#,
            "0".repeat(32)
        )),
        "/base/kernel/identity/resolve" => json(format!(
            r#"{{"identity":{{"identity_id":"{}","tenant_id":"{}","external_id":"u1","provider":"oidc","roles":[],"attributes":{{}}}},"entitlements":[]}}"#,
            runtime(),
            other_tenant()
        )),
        path if path.ends_with("/heartbeat") => json(
            r#"{"status":"active","features_denied":[],"server_time":"2026-11-22T12:00:00Z","poll_after":60,"contract_versions":["v0.1","v0.2","v0.9"],"moon":"full"}"#
                .to_owned(),
        ),
        path if path.ends_with("/bundle") => {
            let etag = format!("etag: \"{}\"\r\n", bundle_digest());
            http(200, "application/jsonl", &etag, BUNDLE)
        }
        path => panic!("{path}"),
    }
}

#[tokio::test]
async fn every_call_says_who_calls_and_is_understood() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, kernel).await;
    let client = bench.client(&ca, &format!("{}/base/", server.url()));

    // A version this build doesn't know is no reason not to understand the rest.
    let known = [ContractVersion::V0_1, ContractVersion::V0_2];
    assert_eq!(client.contract().await.unwrap(), known);
    let beat = HeartbeatRequest { status: Health::Healthy, metrics: None, report: None };
    let answer = client.heartbeat(&beat).await.unwrap();
    assert_eq!((answer.standing, answer.poll_after), (KernelStanding::ACTIVE, 60));
    assert_eq!(answer.contract_versions, known);
    let register = RegisterRequest {
        tenant_id: other_tenant(),
        runtime_type: RuntimeType::Courses,
        deployment_mode: DeploymentMode::OnPrem,
        version: "1.2.3".to_owned(),
        capabilities: vec![],
        runtime_id: Some(runtime()),
        released_on: None,
    };
    let registered = client.register(other_tenant(), &register).await.unwrap();
    assert_eq!(registered.runtime_id, runtime());
    let resolved = client.resolve(other_tenant(), runtime(), "jwt", Some("corr-1")).await.unwrap();
    assert_eq!(resolved.identity.external_id, "u1");
    let have = Sha256Digest::new([7; 32]);
    let pulled = client.bundle(Some(&have)).await.unwrap();
    let bytes = BUNDLE.as_bytes().to_vec();
    assert_eq!(pulled, Pulled::Bundle { bytes, digest: bundle_digest() });

    let seen = server.seen();
    let own = Some(agent().to_string());
    let of_runtime = Some(runtime().to_string());
    let callers: Vec<_> = seen
        .iter()
        .map(|seen| {
            assert_eq!(seen.header("x-contract-version"), Some("v0.2"));
            assert_eq!(seen.header("authorization"), None);
            assert!(seen.certified, "{}", seen.line());
            (seen.header("x-tenant-id").unwrap(), seen.header("x-runtime-id").map(str::to_owned))
        })
        .collect();
    let (mine, theirs) = (tenant().to_string(), other_tenant().to_string());
    assert_eq!(
        callers,
        [
            (mine.as_str(), own.clone()),
            (mine.as_str(), own.clone()),
            (theirs.as_str(), None),
            (theirs.as_str(), of_runtime),
            (mine.as_str(), own),
        ]
    );
    assert_eq!(seen[3].header("x-correlation-id"), Some("corr-1"));
    assert_eq!(seen[4].header("if-none-match"), Some(format!("\"{have}\"").as_str()));
    let mut correlations: Vec<_> =
        seen.iter().map(|seen| seen.header("x-correlation-id").unwrap()).collect();
    correlations.sort_unstable();
    correlations.dedup();
    assert_eq!(correlations.len(), 5, "each call has its own");
}

#[tokio::test]
async fn a_batch_goes_out_compressed_and_a_gap_is_an_answer() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, kernel).await;
    let client = bench.client(&ca, &format!("{}/base", server.url()));
    let Pushed::Accepted(taken) = client.push_batch(Bytes::from_static(b"zzz")).await.unwrap()
    else {
        panic!("a gap")
    };
    assert_eq!(taken.receipt.get(), r#"{ "kept":  "byte for byte" }"#);
    assert_eq!((taken.seq, taken.refused[0].code), (9, Code::EventRefused));
    assert_eq!(taken.refused[0].detail, "event.too_new: why");
    let Pushed::Gap { heads, .. } = client.push_batch(Bytes::from_static(b"gap")).await.unwrap()
    else {
        panic!("accepted")
    };
    assert_eq!(heads[0].seq, 7);
    let seen = &server.seen()[0];
    assert_eq!(seen.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(seen.header("content-encoding"), Some("zstd"));
    assert_eq!(seen.body, b"zzz");
}

#[tokio::test]
async fn a_providers_token_is_in_no_error() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, |_| http(200, "text/html", "", "no")).await;
    let client = bench.client(&ca, &server.url());
    let error = client.resolve(tenant(), runtime(), "canary-token", None).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}
