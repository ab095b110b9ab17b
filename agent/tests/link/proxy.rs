//! The way out through a proxy, and around it.

use std::{fs, os::unix::fs::PermissionsExt};

use farhold_agent::link::{LinkFailure, ProxySettings};
use farhold_contract::Code;
use farhold_sync::{Failure, Outcome};
use tokio::net::TcpListener;

use super::support::{Bench, Ca, ConnectProxy, Reply, Seen, Server, http};

/// `user:canary-pass` in base64.
const BASIC: &str = "Basic dXNlcjpjYW5hcnktcGFzcw==";

fn contract(_: &Seen) -> Reply {
    http(200, "application/json", "", r#"{"versions":["v0.2"]}"#)
}

/// A proxy to a server, which wants to know who asks.
async fn guarded(server: &Server) -> ConnectProxy {
    let target = server.address;
    ConnectProxy::start(move |head| {
        let known = head.lines().any(|line| {
            line.split_once(": ").is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("proxy-authorization") && value == BASIC
            })
        });
        if known { Ok(target) } else { Err("407 Proxy Authentication Required") }
    })
    .await
}

#[tokio::test]
async fn a_proxy_passes_the_connection_on_and_sees_nothing_but_the_name() {
    let (mut bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, contract).await;
    let proxy = ConnectProxy::to(server.address).await;
    bench.settings.proxy = ProxySettings { url: Some(proxy.url()), ..ProxySettings::default() };
    bench.client(&ca, "https://kernel.test:7443").contract().await.unwrap();
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT kernel.test:7443 HTTP/1.1\r\n"), "{}", heads[0]);
    assert!(!heads[0].to_lowercase().contains("x-tenant-id"));
    assert!(server.seen()[0].header("proxy-authorization").is_none());
}

#[tokio::test]
async fn a_proxy_that_needs_a_password_is_given_it_from_the_file_or_the_url() {
    let (mut bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, contract).await;
    let proxy = guarded(&server).await;
    let password_file = bench.folder.path().join("proxy-password");
    fs::write(&password_file, "canary-pass\n").unwrap();
    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600)).unwrap();
    let by_file = ProxySettings {
        url: Some(proxy.url()),
        user: Some("user".to_owned()),
        password_file: Some(password_file.clone()),
        no_proxy: None,
    };
    let port = proxy.address.port();
    let by_url = ProxySettings {
        url: Some(format!("http://user:canary%2Dpass@proxy.test:{port}/")),
        ..ProxySettings::default()
    };
    for settings in [by_file, by_url] {
        assert!(!format!("{settings:?}").contains("canary"), "{settings:?}");
        let chosen = settings.for_url("https://kernel.test").unwrap().unwrap();
        assert!(!format!("{chosen:?}").contains("canary"), "{chosen:?}");
        bench.settings.proxy = settings;
        bench.client(&ca, "https://kernel.test:7443").contract().await.unwrap();
    }
    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o644)).unwrap();
    bench.settings.proxy = ProxySettings {
        url: Some(proxy.url()),
        user: Some("user".to_owned()),
        password_file: Some(password_file),
        no_proxy: None,
    };
    let error = bench.settings.proxy.for_url("https://kernel.test").unwrap_err();
    assert!(error.to_string().contains("0644"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_is_not_given_its_password_says_so() {
    let (mut bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, contract).await;
    let proxy = guarded(&server).await;
    let port = proxy.address.port();
    for url in [proxy.url(), format!("http://user:canary-wrong@proxy.test:{port}")] {
        bench.settings.proxy = ProxySettings { url: Some(url), ..ProxySettings::default() };
        let error = bench.failure(&ca, "https://kernel.test:7443").await;
        assert_eq!(error.failure, LinkFailure::Proxy { status: Some(407) }, "{error}");
        assert_eq!(error.outcome(), Outcome::Failed(Failure::ProxyCredentials));
        assert!(error.action().contains("password"), "{}", error.action());
        assert!(error.to_string().contains(&format!("proxy.test:{port}")), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_not_there_is_told_from_a_kernel_that_does() {
    let (mut bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let proxy = ConnectProxy::start(|_| Err("403 Forbidden")).await;
    bench.settings.proxy = ProxySettings { url: Some(proxy.url()), ..ProxySettings::default() };
    let error = bench.failure(&ca, "https://kernel.test:7443").await;
    assert_eq!(error.failure, LinkFailure::Proxy { status: None }, "{error}");
    assert!(error.to_string().contains("kernel.test:7443"), "{error}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://proxy.test:{}", listener.local_addr().unwrap().port());
    drop(listener);
    bench.settings.proxy = ProxySettings { url: Some(url), ..ProxySettings::default() };
    let error = bench.failure(&ca, "https://kernel.test:7443").await;
    assert_eq!(error.failure, LinkFailure::Refused);
    assert!(error.to_string().starts_with("the proxy proxy.test:"), "{error}");
    assert!(error.action().contains("proxy"), "{}", error.action());
}

#[tokio::test]
async fn an_exempt_kernel_is_reached_without_the_proxy() {
    let (mut bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    let server = Server::start(&ca, contract).await;
    let proxy = ConnectProxy::start(|_| Err("403 Forbidden")).await;
    for exempt in ["kernel.test", ".test", "*", "10.0.0.0/8, *.test"] {
        bench.settings.proxy = ProxySettings {
            url: Some(proxy.url()),
            no_proxy: Some(exempt.to_owned()),
            ..ProxySettings::default()
        };
        bench.client(&ca, &server.url()).contract().await.unwrap();
    }
    assert!(proxy.heads().is_empty());
    bench.settings.proxy.no_proxy = Some("other.test".to_owned());
    bench.failure(&ca, &server.url()).await;
    assert_eq!(proxy.heads().len(), 1);
}

#[test]
fn the_environment_fills_what_is_not_configured() {
    let environment = |name: &str| match name {
        "HTTPS_PROXY" => Some("http://u:canary@env.test:3128".to_owned()),
        "no_proxy" => Some("kernel.test,10.*,<local>".to_owned()),
        _ => None,
    };
    let settings = ProxySettings::default().or_environment(environment);
    assert!(settings.for_url("https://kernel.test").unwrap().is_none());
    let chosen = settings.for_url("https://other.test").unwrap().unwrap();
    assert_eq!(chosen.authority(), "env.test:3128");
    assert!(!format!("{settings:?}").contains("canary"), "{settings:?}");
    let configured = ProxySettings {
        url: Some("own.test:8080".to_owned()),
        no_proxy: Some("none.test".to_owned()),
        ..ProxySettings::default()
    };
    let chosen = configured.or_environment(environment).for_url("https://kernel.test").unwrap();
    assert_eq!(chosen.unwrap().authority(), "own.test:8080");
}

#[tokio::test]
async fn a_proxy_of_another_kind_is_a_setting_to_correct() {
    let (mut bench, ca) = (Bench::new(), Ca::new("Farhold Kernel CA"));
    for url in
        ["https://proxy.test:1", "socks5://user:canary@proxy.test:1", "http://", "http://a b"]
    {
        bench.settings.proxy =
            ProxySettings { url: Some(url.to_owned()), ..ProxySettings::default() };
        let standing =
            super::support::enrollment(&ca, "https://kernel.test", super::support::Life::NOW);
        let now = super::support::now();
        let made = farhold_agent::link::KernelClient::new(&standing, &[], now, &bench.settings);
        let Err(error) = made else { panic!("{url}") };
        assert_eq!(error.code(), Code::ConfigInvalid, "{error}");
        assert!(!format!("{error} {error:?} {:?}", bench.settings.proxy).contains("canary"));
    }
}
