//! Names: from the system's files alone, and anew when these change.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use farhold_agent::link::{LinkFailure, ResolverFiles, SystemResolver};
use farhold_contract::Code;
use tokio::{net::UdpSocket, task::JoinHandle};

use super::support::{Bench, Ca, Server, http};

const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;

/// A name server that answers everything with 127.0.0.1, or with a failure.
struct NameServer {
    port: u16,
    failure: Arc<AtomicU8>,
    task: JoinHandle<()>,
}

impl NameServer {
    async fn start(failure: u8) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let failure = Arc::new(AtomicU8::new(failure));
        let code = Arc::clone(&failure);
        let task = tokio::spawn(async move {
            let mut query = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                let answer = answer(&query[..length], code.load(Ordering::SeqCst));
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { port, failure, task }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// RFC 1035 §4: the query's id and question, and an A record where one was asked for.
fn answer(query: &[u8], failure: u8) -> Vec<u8> {
    let question_end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let asks_a = query[question_end - 4..question_end - 2] == [0, 1];
    let answers = u8::from(failure == 0 && asks_a);
    let mut message = query[..2].to_vec();
    message.extend_from_slice(&[0x81, 0x80 | failure, 0, 1, 0, answers, 0, 0, 0, 0]);
    message.extend_from_slice(&query[12..question_end]);
    if answers == 1 {
        message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    message
}

fn resolver(bench: &Bench, port: u16) -> SystemResolver {
    let files = ResolverFiles {
        resolv_conf: bench.folder.path().join("resolv.conf"),
        hosts: bench.folder.path().join("own-hosts"),
        port,
    };
    SystemResolver::new(files, Duration::from_millis(1500))
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn a_name_that_fails_and_heals_is_resolved_at_once() {
    let mut bench = Bench::new();
    let ca = Ca::new("Farhold Kernel CA");
    let server =
        Server::start(&ca, |_| http(200, "application/json", "", r#"{"versions":[]}"#)).await;
    for failure in [SERVFAIL, NXDOMAIN] {
        let names = NameServer::start(failure).await;
        fs::write(bench.folder.path().join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
        bench.settings.resolver = Arc::new(resolver(&bench, names.port));
        let client = bench.client(&ca, &server.url());
        let error = client.contract().await.unwrap_err();
        assert!(matches!(error.failure, LinkFailure::Dns(_)), "{error:?}");
        assert_eq!(error.code(), Code::KernelUnreachable);
        assert!(error.to_string().contains("kernel.test"), "{error}");
        names.failure.store(0, Ordering::SeqCst);
        client.contract().await.unwrap();
    }
}

#[tokio::test]
async fn a_changed_resolv_conf_is_read_anew() {
    let bench = Bench::new();
    let names = NameServer::start(0).await;
    let resolver = resolver(&bench, names.port);
    let path = bench.folder.path().join("resolv.conf");
    // No file, and no server stands in for it.
    let error = resolver.addresses("kernel.test").await.unwrap_err();
    assert!(error.reason.contains("resolv.conf"), "{error}");
    fs::write(&path, "# none yet\n").unwrap();
    let error = resolver.addresses("kernel.test").await.unwrap_err();
    assert!(error.reason.contains("no nameservers"), "{error}");
    fs::write(&path, "nameserver 127.0.0.1\n").unwrap();
    assert_eq!(resolver.addresses("kernel.test").await.unwrap(), [LOOPBACK]);
    fs::remove_file(&path).unwrap();
    assert!(resolver.addresses("kernel.test").await.is_err(), "nothing is remembered");
}

#[tokio::test]
async fn a_dead_name_server_costs_the_time_allowed_and_no_more() {
    let bench = Bench::new();
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let SocketAddr::V4(address) = silent.local_addr().unwrap() else { panic!("no IPv4") };
    fs::write(bench.folder.path().join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
    let files = ResolverFiles {
        resolv_conf: bench.folder.path().join("resolv.conf"),
        hosts: bench.folder.path().join("own-hosts"),
        port: address.port(),
    };
    let resolver = SystemResolver::new(files, Duration::from_millis(100));
    assert!(resolver.addresses("kernel.test").await.is_err());
}

#[tokio::test]
async fn hosts_is_asked_first_and_read_anew() {
    let bench = Bench::new();
    let resolver = resolver(&bench, 9);
    let hosts = bench.folder.path().join("own-hosts");
    fs::write(&hosts, "192.0.2.7 kernel.test # the Kernel\n").unwrap();
    let first: IpAddr = "192.0.2.7".parse().unwrap();
    assert_eq!(resolver.addresses("Kernel.Test").await.unwrap(), [first]);
    fs::write(&hosts, "2001:db8::7 kernel.test\n").unwrap();
    let second: IpAddr = "2001:db8::7".parse().unwrap();
    assert_eq!(resolver.addresses("kernel.test").await.unwrap(), [second]);
    assert_eq!(resolver.addresses("localhost").await.unwrap()[0], LOOPBACK);
}
