//! Enrollment: who gets a certificate, for what, and who does not.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;
use std::time::Duration;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use farhold_bundle::{PublicKey, Signer, TrustRoot, payload::Enroll, seal};
use farhold_contract::AlertCode;

use crate::{
    agent::{Agent, csr, device_key, enroll, key_and_csr, post_document},
    vendor::{tenant_a, tenant_b},
    world::{Identity, World, code, told},
};

#[tokio::test]
async fn a_token_and_a_device_key_become_an_agent_with_the_vendors_root() {
    let world = World::new().await;
    let secret = world.enroll_secret(&[tenant_b(), tenant_a()]).await;
    let (device, _folder) = device_key();
    let (key, csr) = key_and_csr();
    let (status, answer) = told(enroll(&world, &device, &secret, &csr).await).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["tenants"], json!([tenant_b(), tenant_a()]), "the first is its own");
    let root = TrustRoot::install(
        serde_json::to_string(&answer["root"]).unwrap().as_bytes(),
        Some(world.vendor.root_sha256()),
    );
    root.expect("the envelope byte for byte");
    assert_eq!(answer["chain"].as_array().unwrap().len(), 1);

    let certificate = answer["certificate"].as_str().unwrap().to_owned();
    let identity = Identity { certificate, key };
    let der = identity.der();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let uri = only_uri(&certificate);
    let runtime_id = answer["runtime_id"].as_str().unwrap();
    assert!(uri.ends_with(&format!("/tenant/{}/agent/{runtime_id}", tenant_b())), "{uri}");
    assert!(world.alerts().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_given_again_to_the_same_device_key() {
    let world = World::new().await;
    let secret = world.enroll_secret(&[tenant_a()]).await;
    let (device, _folder) = device_key();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (status, answer) = told(enroll(&world, &device, &secret, &key_and_csr().1).await).await;
        assert_eq!(status, 200, "{answer}");
        seen.push((answer["runtime_id"].clone(), answer["certificate"].clone()));
    }
    assert!(seen.iter().all(|(runtime_id, _)| *runtime_id == seen[0].0));
    assert!(seen[0].1 != seen[1].1 && seen[1].1 != seen[2].1, "each certificate is fresh");
}

#[tokio::test]
async fn another_device_key_is_refused_the_used_token_and_raises_one_alert() {
    let world = World::new().await;
    let secret = world.enroll_secret(&[tenant_a()]).await;
    let (first, _one) = device_key();
    let (second, _two) = device_key();
    let csr = key_and_csr().1;
    assert_eq!(enroll(&world, &first, &secret, &csr).await.status(), 200);
    for _ in 0..2 {
        let refused = enroll(&world, &second, &secret, &csr).await;
        assert_eq!(code(refused).await, "enroll.token_used");
    }
    assert_eq!(world.alerts().await, [(AlertCode::EnrollTokenReused, 2)]);
    assert_eq!(enroll(&world, &first, &secret, &csr).await.status(), 200, "its own still holds");
}

#[tokio::test]
async fn an_unknown_secret_and_one_past_its_day_are_invalid() {
    let world = World::new().await;
    let (device, _folder) = device_key();
    let csr = key_and_csr().1;
    let refused = enroll(&world, &device, &[7; 32], &csr).await;
    assert_eq!(code(refused).await, "enroll.token_invalid");
    let secret = world.enroll_secret(&[tenant_a()]).await;
    world.pass(Duration::from_hours(25));
    assert_eq!(code(enroll(&world, &device, &secret, &csr).await).await, "enroll.token_invalid");
}

#[tokio::test]
async fn of_a_csr_only_the_public_key_is_taken() {
    let world = World::new().await;
    let secret = world.enroll_secret(&[tenant_a()]).await;
    let (device, _folder) = device_key();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut asks = CertificateParams::new(["kernel.example".to_owned()]).unwrap();
    asks.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    asks.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    asks.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let answer = enroll(&world, &device, &secret, &csr(&asks, &key)).await;
    let (status, answer) = told(answer).await;
    assert_eq!(status, 200, "{answer}");
    let certificate = answer["certificate"].as_str().unwrap().to_owned();
    let der = Identity { certificate, key }.der();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    assert!(!certificate.is_ca());
    assert!(only_uri(&certificate).starts_with("spiffe://"));
    let usage = certificate.key_usage().unwrap().unwrap().value;
    assert!(usage.digital_signature() && !usage.key_cert_sign());
    let extended = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.client_auth && !extended.server_auth && !extended.any);
    assert!(!certificate.subject().to_string().contains("kernel.example"));
}

#[tokio::test]
async fn what_can_not_be_certified_does_not_cost_the_token() {
    let world = World::new().await;
    let secret = world.enroll_secret(&[tenant_a()]).await;
    let (device, _folder) = device_key();
    let (_, good) = key_and_csr();
    let (_, other) = key_and_csr();
    // Another key's signature under a request: the tail of one after the head of the other.
    let forged = forged(&good, &other);
    for csr in ["", "not base64", "AAAA", &forged] {
        let refused = enroll(&world, &device, &secret, csr).await;
        assert_eq!(code(refused).await, "payload.malformed", "{csr}");
    }
    let (stranger, _second) = device_key();
    let answer = enroll(&world, &stranger, &secret, &good).await;
    assert_eq!(answer.status(), 200, "the token is still anyone's");
}

#[tokio::test]
async fn a_device_key_can_only_be_enrolled_by_who_holds_it() {
    let world = World::new().await;
    let secret = world.enroll_secret(&[tenant_a()]).await;
    let (device, _one) = device_key();
    let (other, _two) = device_key();
    let document = |named: &PublicKey| Enroll {
        secret: hex::encode(secret),
        csr: key_and_csr().1,
        device_key: named.clone(),
        agent_version: "0.1.0".to_owned(),
    };
    let line = seal(&document(other.public_key()), &device).unwrap();
    let refused = post_document(&world, None, "/kernel/agents/enroll", line).await;
    assert_eq!(code(refused).await, "signature.key_unknown");

    let mut line = seal(&document(device.public_key()), &device).unwrap();
    let at = line.len() - 10;
    line[at] = if line[at] == b'A' { b'B' } else { b'A' };
    let refused = post_document(&world, None, "/kernel/agents/enroll", line).await;
    let code = code(refused).await;
    assert!(code == "signature.invalid" || code == "envelope.malformed", "{code}");
}

#[tokio::test]
async fn a_call_without_its_headers_or_its_envelope_is_refused_by_its_own_code() {
    let world = World::new().await;
    let url = world.url("/kernel/agents/enroll");
    let send = |version: Option<&'static str>, correlation: bool, body: &'static str| {
        let mut request = world.client(None).post(&url).header("content-type", "application/json");
        if let Some(version) = version {
            request = request.header("x-contract-version", version);
        }
        if correlation {
            request = request.header("x-correlation-id", "c-1");
        }
        request.body(body).send()
    };
    for (version, correlation, body, expected) in [
        (None, true, "{}", "contract.version_missing"),
        (Some("v9"), true, "{}", "contract.unsupported_version"),
        (Some("v0.1"), true, "{}", "contract.unsupported_version"),
        (Some("v0.2"), false, "{}", "correlation.missing"),
        (Some("v0.2"), true, "{}", "envelope.malformed"),
    ] {
        let answer = send(version, correlation, body).await.unwrap();
        assert_eq!(code(answer).await, expected);
    }
    let wrong = crate::agent::headed(world.client(None).post(&url)).body("{}").send();
    assert_eq!(code(wrong.await.unwrap()).await, "request.media_type");
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let line = agent.lines(0);
    let line = line.strip_suffix(b"\n").unwrap().to_vec();
    let refused = post_document(&world, None, "/kernel/agents/enroll", line).await;
    assert_eq!(code(refused).await, "payload.type_unknown");
}

fn only_uri(certificate: &X509Certificate<'_>) -> String {
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    match names.value.general_names[..] {
        [GeneralName::URI(uri)] => uri.to_owned(),
        ref names => panic!("{names:?}"),
    }
}

/// A request of the first one's content under the second one's signature.
fn forged(content: &str, signature: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let (content, signature) =
        (STANDARD.decode(content).unwrap(), STANDARD.decode(signature).unwrap());
    let (_, first) =
        x509_parser::certification_request::X509CertificationRequest::from_der(&content).unwrap();
    let (_, second) =
        x509_parser::certification_request::X509CertificationRequest::from_der(&signature).unwrap();
    let head = first.certification_request_info.raw.len();
    let other = second.certification_request_info.raw;
    // The second, whole, with the first's content in place of its own: both are as long.
    assert_eq!(head, other.len());
    let at = signature.windows(head).position(|window| window == other).unwrap();
    let mut forged = signature.clone();
    forged[at..at + head].copy_from_slice(first.certification_request_info.raw);
    STANDARD.encode(forged)
}
