//! Who is taken for the Kernel, and who is not.

use farhold_agent::link::{Enrollment, KernelClient, LinkFailure, ProxySettings, Untrusted};
use farhold_contract::{Code, Timestamp};
use farhold_sync::{Failure, Outcome};
use tokio::net::TcpListener;

use super::support::{
    Bench, Ca, ConnectProxy, HOST, Life, Reply, Seen, Server, enrollment, http, now, server::Tls,
};

const CONTRACT: &str = r#"{"versions":["v0.1","v0.2"]}"#;

fn contract(_: &Seen) -> Reply {
    http(200, "application/json", "", CONTRACT)
}

async fn untrusted(ca: &Ca, tls: Tls) -> Untrusted {
    let bench = Bench::new();
    let server = Server::with_tls(tls, contract).await;
    let error = bench.failure(ca, &server.url()).await;
    assert_eq!(error.code(), Code::KernelUntrusted, "{error}");
    assert_eq!(error.outcome(), Outcome::Failed(Failure::Untrusted));
    assert!(server.seen().is_empty(), "no request is sent to a stranger");
    match error.failure {
        LinkFailure::Untrusted(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_pinned_ca_is_trusted_over_both_versions_of_tls() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    for tls in [Tls::of(&ca), Tls::of(&ca).old()] {
        let server = Server::with_tls(tls, contract).await;
        assert_eq!(bench.client(&ca, &server.url()).contract().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_server_of_another_ca_is_refused_and_both_are_named() {
    let (ours, theirs) = (Ca::new("Farhold Kernel CA"), Ca::new("Corp Inspection CA"));
    let reason = untrusted(&ours, Tls::of(&theirs)).await;
    let said = reason.to_string();
    assert!(matches!(reason, Untrusted::Intercepted { .. }), "{reason:?}");
    assert!(said.contains("CN=Corp Inspection CA, expected CN=Farhold Kernel CA"), "{said}");
}

#[tokio::test]
async fn the_pinned_ca_shown_beside_a_foreign_leaf_is_no_way_in() {
    let (ours, theirs) = (Ca::new("Farhold Kernel CA"), Ca::new("Corp Inspection CA"));
    let reason = untrusted(&ours, Tls::of(&theirs).presenting(&ours)).await;
    assert!(matches!(reason, Untrusted::Intercepted { .. }), "{reason:?}");
}

#[tokio::test]
async fn another_ca_of_the_same_name_is_not_called_an_interception() {
    let (ours, theirs) = (Ca::new("Farhold Kernel CA"), Ca::new("Farhold Kernel CA"));
    let reason = untrusted(&ours, Tls::of(&theirs)).await;
    assert!(matches!(reason, Untrusted::NotSigned { .. }), "{reason:?}");
}

#[tokio::test]
async fn an_ended_server_certificate_is_refused_with_a_word_about_the_clock() {
    let ca = Ca::new("Farhold Kernel CA");
    let reason = untrusted(&ca, Tls::living(&ca, HOST, Life::PAST)).await;
    let end: Timestamp = "2021-01-01T00:00:00Z".parse().unwrap();
    assert!(matches!(reason, Untrusted::Expired { not_after, .. } if not_after == end));
    assert!(reason.action().contains("clock"), "{}", reason.action());
    let reason = untrusted(&ca, Tls::living(&ca, HOST, Life::FUTURE)).await;
    assert!(matches!(reason, Untrusted::NotBegun { .. }), "{reason:?}");
}

#[tokio::test]
async fn an_ended_ca_is_no_anchor_although_its_pin_is_right() {
    let ca = Ca::living("Farhold Kernel CA", Life::PAST);
    let reason = untrusted(&ca, Tls::of(&ca)).await;
    assert!(matches!(reason, Untrusted::AnchorOutOfDate { .. }), "{reason:?}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_and_both_are_named() {
    let ca = Ca::new("Farhold Kernel CA");
    let reason = untrusted(&ca, Tls::living(&ca, "other.test", Life::NOW)).await;
    let said = reason.to_string();
    assert!(matches!(reason, Untrusted::WrongHost { .. }), "{reason:?}");
    assert!(said.contains("other.test") && said.contains(HOST), "{said}");
}

#[tokio::test]
async fn a_proxy_that_opens_tls_is_named_as_one() {
    let (ours, theirs) = (Ca::new("Farhold Kernel CA"), Ca::new("Corp Inspection CA"));
    let server = Server::start(&theirs, contract).await;
    let proxy = ConnectProxy::to(server.address).await;
    let mut bench = Bench::new();
    bench.settings.proxy = ProxySettings { url: Some(proxy.url()), ..ProxySettings::default() };
    let error = bench.failure(&ours, "https://kernel.test:7443").await;
    assert!(error.is_intercepted(), "{error}");
    assert!(error.to_string().contains("Corp Inspection CA"), "{error}");
    assert!(error.action().contains("TLS inspection"), "{}", error.action());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_ca_that_only_the_trust_root_names_is_trusted_as_the_server_presents_it() {
    let (bench, old, new) = (Bench::new(), Ca::new("CA of 2025"), Ca::new("CA of 2026"));
    let server = Server::with_tls(Tls::of(&new), contract).await;
    let standing = enrollment(&old, &server.url(), Life::NOW);
    let asleep = KernelClient::new(&standing, &[], now(), &bench.settings).unwrap();
    assert!(asleep.contract().await.unwrap_err().is_intercepted());
    let told = KernelClient::new(&standing, &[new.pin()], now(), &bench.settings).unwrap();
    told.contract().await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_no_kernel() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{HOST}:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    let error = bench.failure(&ca, &url).await;
    assert!(matches!(error.failure, LinkFailure::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_kernel_that_takes_no_ended_certificate_is_understood() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::with_tls(Tls::of(&ca).asking(&ca), contract).await;
    let client = |standing: &Enrollment, at: &str| {
        let at: Timestamp = at.parse().unwrap();
        KernelClient::new(standing, &[], at, &bench.settings).unwrap()
    };
    let ended = enrollment(&ca, &server.url(), Life::PAST);
    // By a clock that is years behind, the certificate still holds and is shown.
    let error = client(&ended, "2020-06-01T00:00:00Z").contract().await.unwrap_err();
    assert_eq!(error.failure, LinkFailure::CertificateExpired, "{error}");
    assert_eq!(error.outcome(), Outcome::Failed(Failure::CertificateExpired));
    // By the right clock it is not shown at all.
    let error = client(&ended, "2026-06-01T00:00:00Z").contract().await.unwrap_err();
    assert!(matches!(error.failure, LinkFailure::CertificateRejected { .. }), "{error:?}");
    let foreign = enrollment(&Ca::new("Another CA"), &server.url(), Life::NOW);
    let foreign = Enrollment { ca: vec![ca.pem()], ..foreign };
    let error = client(&foreign, "2026-06-01T00:00:00Z").contract().await.unwrap_err();
    assert_eq!(error.code(), Code::CertificateUnknown, "{error:?}");
}
