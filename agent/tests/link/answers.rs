//! Answers that are none: what is believed of them, and what is said about them.

use std::time::Duration;

use farhold_agent::link::{LinkError, LinkFailure, Phase, Pulled};
use farhold_contract::Code;
use farhold_sync::{Failure, Outcome};
use tokio::net::TcpListener;

use super::support::{Bench, Ca, HOST, Reply, Server, http};

const PROBLEM: &str = "application/problem+json";

/// What the shortest call meets where it is answered so.
async fn meets(reply: impl Fn() -> Reply + Send + Sync + 'static) -> LinkError {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, move |_| reply()).await;
    bench.failure(&ca, &server.url()).await
}

fn assert_malformed(error: &LinkError, word: &str) {
    assert!(matches!(error.failure, LinkFailure::Malformed { .. }), "{error:?}");
    assert!(error.to_string().contains(word), "{error}");
    assert_eq!(error.code(), Code::KernelAnswer);
    assert_eq!(error.outcome(), Outcome::Failed(Failure::Malformed));
}

#[tokio::test]
async fn a_captive_portals_page_is_no_answer_although_its_status_is_200() {
    let error = meets(|| http(200, "text/html; charset=utf-8", "", "<h1>Welcome</h1>")).await;
    assert_malformed(&error, "text/html");
    assert!(error.action().contains("portal"), "{}", error.action());
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let other = Server::start(&ca, |_| http(200, "application/json", "", "{}")).await;
    for status in [301, 302, 307, 308] {
        let location = format!("location: {}/login?session=canary\r\n", other.url());
        let server = Server::start(&ca, move |_| http(status, "text/html", &location, "")).await;
        let error = bench.failure(&ca, &server.url()).await;
        assert!(matches!(error.failure, LinkFailure::Redirected { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("{HOST}:{}", other.address.port())));
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn truncated_json_is_told_from_other_json() {
    let error = meets(|| http(200, "application/json", "", r#"{"versions":["v0"#)).await;
    assert_malformed(&error, "cut short");
    let error = meets(|| http(200, "application/json", "", r#"{"versions":"v0.1"}"#)).await;
    assert_malformed(&error, "not what the contract says");
}

#[tokio::test]
async fn a_compressed_answer_is_not_inflated() {
    let coding = "content-encoding: gzip\r\n";
    let error = meets(|| http(200, "application/json", coding, r#"{"versions":[]}"#)).await;
    assert_malformed(&error, "compressed");
}

#[tokio::test]
async fn a_connection_that_ends_in_the_body_is_a_reset() {
    const HEAD: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"vers";
    for reply in [|| Reply::Cut(HEAD.to_vec()), || Reply::Bytes(HEAD.to_vec())] {
        let error = meets(reply).await;
        assert_eq!(error.failure, LinkFailure::Reset, "{error}");
        assert_eq!(error.code(), Code::KernelUnreachable);
    }
    let error = meets(|| Reply::Cut(Vec::new())).await;
    assert_eq!(error.failure, LinkFailure::Reset, "{error}");
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read_whether_it_says_its_length_or_not() {
    let (mut bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    bench.settings.limits.json_bytes = 1000;
    bench.settings.limits.bundle_bytes = 2000;
    let json = format!(r#"{{"versions":["{}"]}}"#, "v".repeat(1000));
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{json}\r\n0\r\n\r\n",
        json.len()
    );
    let said = Server::start(&ca, move |_| http(200, "application/json", "", &json)).await;
    let unsaid = Server::start(&ca, move |_| Reply::Bytes(chunked.clone().into_bytes())).await;
    for server in [&said, &unsaid] {
        let error = bench.failure(&ca, &server.url()).await;
        assert_eq!(error.failure, LinkFailure::TooLarge { limit: 1000 }, "{error}");
    }
    let bundle = Server::start(&ca, |_| http(200, "application/jsonl", "", [b'x'; 2001])).await;
    let error = bench.client(&ca, &bundle.url()).bundle(None).await.unwrap_err();
    assert_eq!(error.failure, LinkFailure::TooLarge { limit: 2000 });
}

#[tokio::test]
async fn a_slow_loris_is_left_whether_it_drips_or_stalls() {
    const HEAD: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{";
    let (bench, ca) = (Bench::impatient(Phase::Answer), Ca::new("Farhold Kernel CA"));
    for reply in [
        || Reply::Stall(Vec::new()),
        || Reply::Stall(HEAD.to_vec()),
        || Reply::Drip(HEAD.to_vec()),
        || Reply::Drip(b"HTTP/1.1 200 OK\r\nx-slow:".to_vec()),
    ] {
        let server = Server::start(&ca, move |_| reply()).await;
        let error = bench.failure(&ca, &server.url()).await;
        let phase = Phase::Answer;
        let within = Duration::from_millis(200);
        assert_eq!(error.failure, LinkFailure::TimedOut { phase, within }, "{error}");
    }
}

#[tokio::test]
async fn an_address_that_takes_a_connection_and_says_nothing_is_a_timeout_of_the_connection() {
    let (bench, ca) = (Bench::impatient(Phase::Connection), Ca::new("Farhold Kernel CA"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{HOST}:{}", listener.local_addr().unwrap().port());
    let error = bench.failure(&ca, &url).await;
    assert!(
        matches!(error.failure, LinkFailure::TimedOut { phase: Phase::Connection, .. }),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::Failed(Failure::TimedOut));
}

#[tokio::test]
async fn an_address_where_nobody_listens_refuses() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{HOST}:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let error = bench.failure(&ca, &url).await;
    assert_eq!(error.failure, LinkFailure::Refused, "{error}");
    assert_eq!(error.code(), Code::KernelUnreachable);
}

#[tokio::test]
async fn a_problem_keeps_code_detail_and_wait() {
    let body = r#"{"type":"urn:farhold:code:server.overloaded","title":"t","status":503,"code":"server.overloaded","detail":"the intake is full","action":"a"}"#;
    let date = "date: Sun, 22 Nov 2026 12:00:00 GMT\r\n";
    for (wait, expected) in [
        ("retry-after: 7\r\n", Some(7)),
        ("retry-after: Sun, 22 Nov 2026 12:00:09 GMT\r\n", Some(9)),
        ("retry-after: 99999999999999999999999\r\n", Some(3600)),
        ("retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", Some(3600)),
        ("retry-after: Mon, 01 Jan 1990 00:00:00 GMT\r\n", Some(0)),
        ("retry-after: -1\r\n", None),
        ("", None),
    ] {
        let headers = format!("{date}{wait}");
        let error = meets(move || http(503, PROBLEM, &headers, body)).await;
        let expected = expected.map(Duration::from_secs);
        assert_eq!(error.retry_after(), expected, "{wait}");
        assert_eq!(error.code(), Code::ServerOverloaded);
        assert!(error.to_string().contains("the intake is full"), "{error}");
        let outcome = Outcome::Answered {
            status: 503,
            code: Some(Code::ServerOverloaded),
            retry_after: expected,
        };
        assert_eq!(error.outcome(), outcome);
    }
}

#[tokio::test]
async fn a_code_of_a_newer_kernel_is_shown_and_breaks_nothing() {
    let body = r#"{"code":"moon.full","detail":"wait for the new moon","status":409}"#;
    let error = meets(move || http(409, PROBLEM, "", body)).await;
    assert!(error.to_string().contains("moon.full: wait for the new moon"), "{error}");
    let outcome = Outcome::Answered { status: 409, code: None, retry_after: None };
    assert_eq!(error.outcome(), outcome);
}

#[tokio::test]
async fn a_load_balancers_own_word_passes_and_a_stranger_s_no_does_not_count() {
    let error =
        meets(|| http(502, "text/html", "retry-after: 3\r\n", "<h1>Bad gateway</h1>")).await;
    let outcome =
        Outcome::Answered { status: 502, code: None, retry_after: Some(Duration::from_secs(3)) };
    assert_eq!(error.outcome(), outcome);
    assert_eq!(error.code(), Code::KernelUnreachable);
    for status in [401, 403, 404] {
        let error = meets(move || http(status, "text/html", "", "<h1>No</h1>")).await;
        assert_malformed(&error, &status.to_string());
    }
}

#[tokio::test]
async fn a_bundle_that_is_not_what_its_etag_names_is_refused() {
    let (bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    for etag in ["", "etag: \"0000\"\r\n"] {
        let server = Server::start(&ca, move |_| http(200, "application/jsonl", etag, "a\n")).await;
        let error = bench.client(&ca, &server.url()).bundle(None).await.unwrap_err();
        assert_malformed(&error, "ETag");
    }
    // 304 is an answer only to who said what it has.
    let server = Server::start(&ca, |_| {
        Reply::Bytes(b"HTTP/1.1 304 X\r\nconnection: close\r\n\r\n".to_vec())
    })
    .await;
    let client = bench.client(&ca, &server.url());
    let have = ca.pin();
    assert_eq!(client.bundle(Some(&have)).await.unwrap(), Pulled::NotModified);
    assert!(client.bundle(None).await.is_err());
}
