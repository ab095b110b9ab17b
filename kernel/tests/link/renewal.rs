//! Renewal: by the device key, with a certificate or without; and certificates that are no good.

use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};

use rustls_pki_types::{CertificateDer, pem::PemObject};

use farhold_contract::call::heartbeat::{KernelStanding, KernelStatus};
use farhold_kernel::storage::no_trail;

use crate::{
    agent::{Agent, device_key, headed, key_and_csr, renew},
    vendor::{tenant_a, tenant_b},
    world::{Identity, World, code, told},
};

#[tokio::test]
async fn a_renewed_certificate_works_and_so_does_the_one_before() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let (key, csr) = key_and_csr();
    let (status, answer) =
        told(renew(&world, &agent, &agent.device, Some(&agent.identity), &csr).await).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["ca"].as_array().unwrap().len(), 1);
    assert_eq!(agent.pull(&world, None).await.status(), 200);
    let renewed = with_identity(agent, &world, &answer, key);
    assert_eq!(renewed.pull(&world, None).await.status(), 200);
}

#[tokio::test]
async fn an_expired_certificate_strands_nobody() {
    // Sixty days ago by the Kernel's clock: what it issues has ended for the TLS of today.
    let sixty_days = Duration::from_hours(60 * 24);
    let world = World::with("", -i64::try_from(sixty_days.as_millis()).unwrap()).await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let url = world.url(&format!("/kernel/agents/{}/bundle", agent.runtime_id));
    let ended = agent.headed(agent.client.get(url)).send().await;
    assert!(ended.is_err(), "the handshake refuses the ended certificate");

    world.pass(sixty_days);
    let (key, csr) = key_and_csr();
    let (status, answer) = told(renew(&world, &agent, &agent.device, None, &csr).await).await;
    assert_eq!(status, 200, "{answer}");
    let renewed = with_identity(agent, &world, &answer, key);
    assert_eq!(renewed.pull(&world, None).await.status(), 200);
}

#[tokio::test]
async fn only_the_agents_own_device_key_renews() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let other = Agent::enrolled(&world, &[tenant_b()]).await;
    let (stranger, _folder) = device_key();
    let csr = key_and_csr().1;
    for device in [&other.device, &stranger] {
        let refused = renew(&world, &agent, device, None, &csr).await;
        assert_eq!(code(refused).await, "signature.key_unknown");
    }
    // Its own document over another's connection.
    let refused = renew(&world, &agent, &agent.device, Some(&other.identity), &csr).await;
    assert_eq!(code(refused).await, "runtime.mismatch");
    // Its own document for the other's path.
    let swapped = Agent { runtime_id: other.runtime_id, ..agent };
    let refused = renew(&world, &swapped, &swapped.device, None, &csr).await;
    assert_eq!(code(refused).await, "signature.key_unknown");
}

#[tokio::test]
async fn an_unknown_agent_is_sent_to_enroll() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let unknown = Agent { runtime_id: world.plane.new_id(), ..agent };
    let refused = renew(&world, &unknown, &unknown.device, None, &key_and_csr().1).await;
    assert_eq!(code(refused).await, "certificate.unknown");
}

#[tokio::test]
async fn a_suspended_agent_renews_so_that_it_can_hear_of_its_end() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let suspended =
        KernelStanding { status: KernelStatus::Suspended, features_denied: Default::default() };
    let storage = &world.plane.storage;
    storage.set_agent_standing(agent.runtime_id, suspended, no_trail).await.unwrap();
    let csr = key_and_csr().1;
    assert_eq!(renew(&world, &agent, &agent.device, None, &csr).await.status(), 200);
    assert_eq!(code(agent.pull(&world, None).await).await, "agent.suspended");
}

#[tokio::test]
async fn a_certificate_by_another_ca_ends_the_handshake() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = Issuer::new(ca, ca_key);
    let der = agent.identity.der();
    let (_, genuine) = x509_parser::parse_x509_certificate(&der).unwrap();
    let names = genuine.subject_alternative_name().unwrap().unwrap();
    let uri = match names.value.general_names[..] {
        [x509_parser::extensions::GeneralName::URI(uri)] => uri,
        _ => panic!("one name"),
    };
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let forged = Identity { certificate, key };
    let url = world.url("/livez");
    assert!(world.client(Some(&forged)).get(&url).send().await.is_err());
    assert_eq!(world.client(None).get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_site_that_slept_through_a_new_ca_finds_its_way_and_learns_it() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let known = world.plane.authority.certificates().to_vec();
    let world = world.with_a_new_ca().await;
    assert_ne!(world.plane.authority.certificates()[0], known[0]);

    // It trusts the old CA alone, and comes with a certificate of the old one.
    let client = world.client_trusting(&known, Some(&agent.identity));
    let asleep = Agent { client, ..agent };
    assert_eq!(asleep.pull(&world, None).await.status(), 200);
    let (key, csr) = key_and_csr();
    let document = asleep.renewal(&csr);
    let url = world.url(&format!("/kernel/agents/{}/certificate", asleep.runtime_id));
    let request = asleep.headed(asleep.client.post(url)).header("content-type", "application/json");
    let (status, answer) = told(request.body(document).send().await.unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    let listed = |answer: &serde_json::Value| {
        let pem: String =
            answer["ca"].as_array().unwrap().iter().map(|ca| ca.as_str().unwrap()).collect();
        CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect::<Vec<_>>()
    };
    let learned = listed(&answer);
    assert!(learned.contains(&known[0]) && learned.len() > 1);

    // From now on it gets by with the new one alone.
    let certificate = answer["certificate"].as_str().unwrap().to_owned();
    let identity = Identity { certificate, key };
    let client = world.client_trusting(&learned[..1], Some(&identity));
    let awake = Agent { client, identity, ..asleep };
    assert_eq!(awake.pull(&world, None).await.status(), 200);
}

#[tokio::test]
async fn calls_that_need_a_certificate_say_so_without_one() {
    let world = World::new().await;
    let agent = Agent::enrolled(&world, &[tenant_a()]).await;
    let plain = world.client(None);
    let bundle = world.url(&format!("/kernel/agents/{}/bundle", agent.runtime_id));
    let answer = agent.headed(plain.get(bundle)).send().await.unwrap();
    assert_eq!(code(answer).await, "certificate.missing");
    let answer = agent.headed(plain.post(world.url("/kernel/audit/batches"))).send().await.unwrap();
    assert_eq!(code(answer).await, "certificate.missing");
    let nobody = headed(plain.get(world.url("/kernel/agents/x/y"))).send().await.unwrap();
    assert_eq!(code(nobody).await, "request.not_found");
}

fn with_identity(agent: Agent, world: &World, answer: &serde_json::Value, key: KeyPair) -> Agent {
    let certificate = answer["certificate"].as_str().unwrap().to_owned();
    let identity = Identity { certificate, key };
    Agent { client: world.client(Some(&identity)), identity, ..agent }
}
