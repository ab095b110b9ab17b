//! Enrollment: what is sent, what is believed, and what is lost without harm.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use farhold_agent::link::{Enrolled, Enrollment, LinkError, LinkFailure, TlsKeyPair, enroll};
use farhold_bundle::{DocumentType, Envelope, Signer, payload::Enroll, verify_device_document};
use farhold_contract::{
    Code, Sha256Digest,
    call::enroll::EnrollToken,
    id::{RuntimeId, TenantId},
};
use sha2::{Digest, Sha256};

use super::support::{Bench, Ca, Life, Reply, Seen, Server, agent, http, now, tenant};

const SECRET: [u8; 32] = [0x5c; 32];
const ROOT: &str = r#"{"version":1}"#;

/// The envelope of a root; here only its shape and its hash count.
fn root(payload: &str) -> String {
    format!(
        r#"{{"payload":"{}","payloadType":"{}","signatures":[{{"keyid":"{}","sig":"{}"}}]}}"#,
        STANDARD.encode(payload),
        DocumentType::Root.media_type(),
        "0".repeat(64),
        STANDARD.encode([0; 64])
    )
}

fn token(ca: &Ca, url: &str) -> EnrollToken {
    EnrollToken {
        url: url.to_owned(),
        ca_sha256: ca.pin(),
        root_sha256: Sha256Digest::new(Sha256::digest(ROOT).into()),
        secret: EnrollToken::secret_text(&SECRET),
    }
}

/// What a Kernel answers, in parts that a test can spoil.
struct Answer {
    certificate: String,
    chain: Vec<String>,
    tenant_id: TenantId,
    runtime_id: RuntimeId,
    root: String,
}

impl Answer {
    /// The right answer to a request.
    fn to(ca: &Ca, seen: &Seen) -> Self {
        let certificate = ca.client(&csr(seen), tenant(), agent(), Life::NOW);
        Self {
            certificate,
            chain: vec![ca.pem()],
            tenant_id: tenant(),
            runtime_id: agent(),
            root: root(ROOT),
        }
    }

    fn reply(&self) -> Reply {
        let body = format!(
            r#"{{"certificate":{},"chain":{},"tenants":["{}"],"runtime_id":"{}","root":{}}}"#,
            serde_json::to_string(&self.certificate).unwrap(),
            serde_json::to_string(&self.chain).unwrap(),
            self.tenant_id,
            self.runtime_id,
            self.root
        );
        http(200, "application/json", "", body)
    }
}

/// The request's public key, after its signature was checked.
fn csr(seen: &Seen) -> Vec<u8> {
    let envelope = Envelope::open(&seen.body).unwrap();
    let unproven: Enroll = serde_json::from_slice(envelope.danger_unverified_payload()).unwrap();
    let document = verify_device_document::<Enroll>(envelope, &unproven.device_key).unwrap();
    assert_eq!(document.content().secret, hex::encode(SECRET));
    STANDARD.decode(&document.content().csr).unwrap()
}

async fn enrolls(
    bench: &Bench,
    ca: &Ca,
    script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> Result<Enrolled, LinkError> {
    let server = Server::start(ca, script).await;
    enroll(&token(ca, &server.url()), &bench.device(), "1.0.0", now(), &bench.settings).await
}

/// How a spoilt answer is refused.
async fn refused(spoil: impl Fn(&mut Answer, &Seen) + Send + Sync + 'static) -> LinkError {
    let (bench, ca) = (Bench::new(), Arc::new(Ca::new("Farhold Kernel CA")));
    let signer = Arc::clone(&ca);
    let outcome = enrolls(&bench, &ca, move |seen| {
        let mut answer = Answer::to(&signer, seen);
        spoil(&mut answer, seen);
        answer.reply()
    })
    .await;
    outcome.err().expect("the answer was spoilt")
}

#[tokio::test]
async fn a_token_becomes_a_standing() {
    let (bench, ca) = (Bench::new(), Arc::new(Ca::new("Farhold Kernel CA")));
    let signer = Arc::clone(&ca);
    let server = Server::start(&ca, move |seen| Answer::to(&signer, seen).reply()).await;
    let token = token(&ca, &server.url());
    let device = bench.device();
    let enrolled = enroll(&token, &device, "1.0.0", now(), &bench.settings).await.unwrap();
    assert_eq!(enrolled.root, root(ROOT).into_bytes());
    let standing = enrolled.enrollment;
    assert_eq!((standing.own_tenant(), standing.runtime_id), (tenant(), agent()));
    assert_eq!(standing.ca, [ca.pem()]);
    assert!(standing.current.holds_at(now()) && standing.previous.is_none());

    let seen = &server.seen()[0];
    assert_eq!(seen.line(), "POST /kernel/agents/enroll HTTP/1.1");
    for absent in ["x-tenant-id", "x-runtime-id", "authorization"] {
        assert_eq!(seen.header(absent), None, "§8.1.3: the token names them");
    }
    assert!(!seen.certified);
    let envelope = Envelope::open(&seen.body).unwrap();
    let document = verify_device_document::<Enroll>(envelope, device.public_key()).unwrap();
    assert_eq!(document.content().agent_version, "1.0.0");
    standing.save(bench.folder.path()).unwrap();
    assert_eq!(Enrollment::load(bench.folder.path()).unwrap().unwrap(), standing);
}

#[tokio::test]
async fn a_lost_answer_strands_nobody() {
    let (bench, ca) = (Bench::new(), Arc::new(Ca::new("Farhold Kernel CA")));
    let (signer, calls) = (Arc::clone(&ca), AtomicU32::new(0));
    let server = Server::start(&ca, move |seen| {
        let Reply::Bytes(answer) = Answer::to(&signer, seen).reply() else { panic!("no bytes") };
        match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Cut(answer[..answer.len() / 2].to_vec()),
            _ => Reply::Bytes(answer),
        }
    })
    .await;
    let (token, device) = (token(&ca, &server.url()), bench.device());
    let again = || enroll(&token, &device, "1.0.0", now(), &bench.settings);
    let error = again().await.err().expect("the answer was lost");
    assert_eq!(error.failure, LinkFailure::Reset, "{error}");
    again().await.unwrap();
    let seen = server.seen();
    let devices: Vec<_> = seen.iter().map(|seen| Envelope::open(&seen.body).unwrap()).collect();
    assert!(devices[0].key_ids().eq(devices[1].key_ids()), "the same device key");
    assert_ne!(csr(&seen[0]), csr(&seen[1]), "a fresh TLS key");
}

#[tokio::test]
async fn a_certificate_for_another_key_is_refused() {
    let ca = Ca::new("Farhold Kernel CA");
    let bench = Bench::new();
    let stranger = TlsKeyPair::generate().unwrap().request_der().unwrap();
    let certificate = ca.client(&stranger, tenant(), agent(), Life::NOW);
    let chain = vec![ca.pem()];
    let outcome = enrolls(&bench, &ca, move |_| {
        let (tenant_id, runtime_id) = (tenant(), agent());
        let (certificate, chain) = (certificate.clone(), chain.clone());
        Answer { certificate, chain, tenant_id, runtime_id, root: root(ROOT) }.reply()
    })
    .await;
    let error = outcome.err().unwrap();
    assert!(error.to_string().contains("another key"), "{error}");
    assert_eq!(error.code(), Code::KernelAnswer);
}

#[tokio::test]
async fn a_certificate_of_another_ca_is_refused() {
    let other = Ca::new("Farhold Kernel CA");
    let other_pem = other.pem();
    let error = refused(move |answer, seen| {
        answer.certificate = other.client(&csr(seen), tenant(), agent(), Life::NOW);
    })
    .await;
    assert!(error.to_string().contains("not the CA's"), "{error}");
    let error = refused(move |answer, _| answer.chain = vec![other_pem.clone()]).await;
    assert!(error.to_string().contains("does not end in the pinned CA"), "{error}");
}

#[tokio::test]
async fn another_root_is_refused() {
    let error = refused(|answer, _| answer.root = root(r#"{"version":2}"#)).await;
    assert_eq!(error.failure, LinkFailure::RootMismatch);
    assert_eq!(error.code(), Code::TrustHash);
    let error = refused(|answer, _| answer.root = r#"{"payload":7}"#.to_owned()).await;
    assert_eq!(error.code(), Code::KernelAnswer, "{error}");
}

#[tokio::test]
async fn a_certificate_that_names_another_agent_or_has_ended_is_refused() {
    let other: RuntimeId = "01976d3a-5b6c-7d8e-8f90-a1b2c3d4e500".parse().unwrap();
    let error = refused(move |answer, _| answer.runtime_id = other).await;
    assert!(error.to_string().contains("does not name this agent"), "{error}");
    let elsewhere: TenantId = "01976d3a-5b6c-7d8e-8f90-a1b2c3d4e501".parse().unwrap();
    let error = refused(move |answer, _| answer.tenant_id = elsewhere).await;
    assert!(error.to_string().contains("does not name this agent"), "{error}");
    let ca = Arc::new(Ca::new("Farhold Kernel CA"));
    let (bench, signer) = (Bench::new(), Arc::clone(&ca));
    let outcome = enrolls(&bench, &ca, move |seen| {
        let certificate = signer.client(&csr(seen), tenant(), agent(), Life::PAST);
        Answer { certificate, ..Answer::to(&signer, seen) }.reply()
    })
    .await;
    assert!(outcome.err().unwrap().to_string().contains("has ended"));
}

#[tokio::test]
async fn a_kernel_that_is_not_the_tokens_gets_no_secret() {
    let (bench, ours, theirs) = (Bench::new(), Ca::new("Ours"), Ca::new("Theirs"));
    let server = Server::start(&theirs, |_| http(200, "application/json", "", "{}")).await;
    let token = token(&ours, &server.url());
    let outcome = enroll(&token, &bench.device(), "1.0.0", now(), &bench.settings).await;
    let error = outcome.err().unwrap();
    assert!(error.is_intercepted(), "{error}");
    assert!(error.to_string().contains(&ours.pin().to_string()), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_kernels_refusal_is_its_own_and_holds_no_secret() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let body = r#"{"code":"enroll.token_used","status":409,"detail":"used on Monday"}"#;
    let outcome =
        enrolls(&bench, &ca, move |_| http(409, "application/problem+json", "", body)).await;
    let error = outcome.err().unwrap();
    assert_eq!(error.code(), Code::EnrollTokenUsed);
    let shown = format!("{error} {error:?} {}", error.action());
    assert!(!shown.contains(&hex::encode(SECRET)), "{shown}");
    assert!(!shown.contains(&EnrollToken::secret_text(&SECRET)), "{shown}");
}
