//! Renewal: with a certificate that holds, without one, and while the CA is replaced.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use farhold_agent::link::{Enrollment, LinkError, TlsKeyPair, renew};
use farhold_bundle::{Envelope, Signer, payload::Renew, verify_device_document};
use farhold_sync::Presented;

use super::support::{Bench, Ca, Life, Reply, Seen, Server, agent, enrollment, http, now, tenant};

fn document(seen: &Seen) -> Renew {
    let envelope = Envelope::open(&seen.body).unwrap();
    serde_json::from_slice(envelope.danger_unverified_payload()).unwrap()
}

/// A certificate by one CA, and the list of those the Kernel stands under.
fn renewed(seen: &Seen, by: &Ca, list: &[&Ca]) -> Reply {
    let csr = STANDARD.decode(document(seen).csr).unwrap();
    answer(&by.client(&csr, tenant(), agent(), Life::NOW), by, list)
}

fn answer(certificate: &str, by: &Ca, list: &[&Ca]) -> Reply {
    let list: Vec<String> = list.iter().map(|ca| ca.pem()).collect();
    let body = serde_json::json!({"certificate": certificate, "chain": [by.pem()], "ca": list});
    http(200, "application/json", "", body.to_string())
}

struct Renewed {
    outcome: Result<Enrollment, LinkError>,
    seen: Vec<Seen>,
    before: Enrollment,
}

async fn renews(
    bench: &Bench,
    ca: &Ca,
    life: Life,
    presented: Presented,
    script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> Renewed {
    let server = Server::start(ca, script).await;
    let before = enrollment(ca, &server.url(), life);
    let device = bench.device();
    let outcome = renew(&before, &[], &device, presented, now(), &bench.settings).await;
    Renewed { outcome, seen: server.seen(), before }
}

#[tokio::test]
async fn a_certificate_is_shown_while_it_holds_and_the_old_one_is_kept() {
    let (bench, ca) = (Bench::new(), Arc::new(Ca::new("Farhold Kernel CA")));
    let by = Arc::clone(&ca);
    let Renewed { outcome, seen, before } =
        renews(&bench, &ca, Life::NOW, Presented::Certificate, move |seen| {
            renewed(seen, &by, &[&by])
        })
        .await;
    let after = outcome.unwrap();
    assert!(seen[0].certified);
    assert_eq!(seen[0].line(), format!("POST /kernel/agents/{}/certificate HTTP/1.1", agent()));
    let envelope = Envelope::open(&seen[0].body).unwrap();
    let device = bench.device();
    let signed = verify_device_document::<Renew>(envelope, device.public_key()).unwrap();
    assert_eq!(signed.content().runtime_id, agent());
    assert!(after.current != before.current);
    assert!(after.previous.as_ref() == Some(&before.current));
}

#[tokio::test]
async fn an_ended_or_rejected_certificate_is_not_shown_and_strands_nobody() {
    let (bench, ca) = (Bench::new(), Arc::new(Ca::new("Farhold Kernel CA")));
    for (life, presented) in [(Life::PAST, Presented::Certificate), (Life::NOW, Presented::Nothing)]
    {
        let by = Arc::clone(&ca);
        let Renewed { outcome, seen, .. } =
            renews(&bench, &ca, life, presented, move |seen| renewed(seen, &by, &[&by])).await;
        assert!(outcome.unwrap().current.holds_at(now()));
        assert!(!seen[0].certified);
    }
}

#[tokio::test]
async fn a_rotation_replaces_the_known_cas_step_by_step() {
    let (bench, old) = (Bench::new(), Arc::new(Ca::new("CA of 2025")));
    let new = Arc::new(Ca::new("CA of 2026"));
    let (a, b) = (Arc::clone(&old), Arc::clone(&new));
    let during = renews(&bench, &old, Life::NOW, Presented::Certificate, move |seen| {
        renewed(seen, &b, &[&a, &b])
    })
    .await
    .outcome
    .unwrap();
    assert_eq!(during.ca, [old.pem(), new.pem()]);
    // Afterwards the Kernel stands under the new one alone.
    let by = Arc::clone(&new);
    let server = Server::start(&new, move |seen| renewed(seen, &by, &[&by])).await;
    let during = Enrollment { url: server.url(), ..during };
    let device = bench.device();
    let after =
        renew(&during, &[], &device, Presented::Certificate, now(), &bench.settings).await.unwrap();
    assert_eq!(after.ca, [new.pem()]);
}

#[tokio::test]
async fn a_list_of_cas_that_would_lead_nowhere_is_refused() {
    let (bench, ca) = (Bench::new(), Arc::new(Ca::new("Farhold Kernel CA")));
    let other = Arc::new(Ca::new("Another CA"));
    let by = Arc::clone(&other);
    let outcome = renews(&bench, &ca, Life::NOW, Presented::Certificate, move |seen| {
        renewed(seen, &by, &[&by])
    })
    .await
    .outcome;
    assert!(outcome.unwrap_err().to_string().contains("none of those known"));
    let by = Arc::clone(&ca);
    let outcome =
        renews(&bench, &ca, Life::NOW, Presented::Certificate, move |seen| renewed(seen, &by, &[]))
            .await
            .outcome;
    assert!(outcome.is_err());
}

#[tokio::test]
async fn a_certificate_for_another_key_or_of_another_ca_is_refused() {
    let (bench, ca) = (Bench::new(), Arc::new(Ca::new("Farhold Kernel CA")));
    let stranger = TlsKeyPair::generate().unwrap().request_der().unwrap();
    let by = Arc::clone(&ca);
    let outcome = renews(&bench, &ca, Life::NOW, Presented::Certificate, move |_| {
        answer(&by.client(&stranger, tenant(), agent(), Life::NOW), &by, &[&by])
    })
    .await
    .outcome;
    assert!(outcome.unwrap_err().to_string().contains("another key"));
    let (listed, by) = (Arc::clone(&ca), Arc::new(Ca::new("Another CA")));
    let outcome = renews(&bench, &ca, Life::NOW, Presented::Certificate, move |seen| {
        renewed(seen, &by, &[&listed])
    })
    .await
    .outcome;
    assert!(outcome.unwrap_err().to_string().contains("not the CA's"));
}
