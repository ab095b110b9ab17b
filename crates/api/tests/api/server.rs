//! The server loop over real sockets, with small limits.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use farhold_api::{Limits, Listener, Plain, Slots, routes, serve};
use farhold_contract::Code;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::{
    ask::{Answer, Ask},
    site::Site,
};

const SHORT: Duration = Duration::from_millis(50);

struct Server {
    address: SocketAddr,
    site: Arc<Site>,
    slots: Slots,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let site = Site::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slots = Slots::new(limits.connections);
        let (stop, stopped) = oneshot::channel();
        let router = routes(Arc::clone(&site), &limits);
        let ended = tokio::spawn(serve(listener, router, slots.clone(), limits, async {
            stopped.await.unwrap();
        }));
        Self { address, site, slots, stop, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, ask: Ask) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(&ask.bytes()).await.unwrap();
        read_answer(&mut stream).await
    }
}

#[tokio::test]
async fn one_connection_carries_many_calls() {
    let server = Server::start(Limits::STANDARD).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(&Ask::check().bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream).await.json()["allowed"], true);
    }
    let pipelined = Ask::check().bytes().repeat(2);
    stream.write_all(&pipelined).await.unwrap();
    for _ in 0..2 {
        assert_eq!(read_answer(&mut stream).await.status, 200);
    }
    assert_eq!(server.slots.taken(), 1);
}

#[tokio::test]
async fn a_unix_socket_is_served_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let router = routes(Site::new(), &Limits::STANDARD);
    tokio::spawn(serve(listener, router, Slots::new(1), Limits::STANDARD, pending()));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

#[tokio::test]
async fn half_a_head_is_not_kept_for_ever() {
    let server = Server::start(Limits { head_time: SHORT * 5, ..Limits::STANDARD }).await;
    let mut silent = server.connect().await;
    let mut half = server.connect().await;
    half.write_all(b"POST /kernel/entitlements/check HTTP/1.1\r\nhost:").await.unwrap();
    let mut later = server.connect().await;
    later.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut later).await.status, 200);
    later.write_all(b"POST /kernel").await.unwrap();
    for stream in [&mut silent, &mut half, &mut later] {
        assert_eq!(rest(stream).await, b"");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let server = Server::start(Limits { idle_time: SHORT, ..Limits::STANDARD }).await;
    let mut stream = server.connect().await;
    stream.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_a_timeout() {
    let server = Server::start(Limits { body_time: SHORT, ..Limits::STANDARD }).await;
    for framing in ["content-length: 100", "transfer-encoding: chunked"] {
        let mut stream = server.connect().await;
        stream.write_all(&Ask::check().head(framing)).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert_eq!(answer.problem().code, Code::RequestTimeout);
        assert_eq!(answer.header("connection"), Some("close"));
        stream.shutdown().await.unwrap();
        assert_eq!(rest(&mut stream).await, b"");
    }
    assert_eq!(server.site.reached(), 0);
}

#[tokio::test]
async fn a_body_cut_short_reaches_nobody() {
    let server = Server::start(Limits::STANDARD).await;
    let mut stream = server.connect().await;
    stream.write_all(&Ask::check().head("content-length: 100")).await.unwrap();
    stream.shutdown().await.unwrap();
    rest(&mut stream).await;
    assert_eq!(server.site.reached(), 0);
}

#[tokio::test]
async fn a_body_in_pieces_is_one_body() {
    let server = Server::start(Limits::STANDARD).await;
    let ask = Ask::check();
    let mut stream = server.connect().await;
    stream.write_all(&ask.head("transfer-encoding: chunked")).await.unwrap();
    let (first, second) = ask.body.split_at(10);
    for piece in [first, second] {
        stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
        stream.write_all(piece).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
        stream.flush().await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut stream).await.json()["allowed"], true);
}

#[tokio::test]
async fn a_body_of_ten_mebibytes_is_refused_and_its_sender_reads_why() {
    let server = Server::start(Limits::STANDARD).await;
    let size = 10 << 20;
    for chunked in [false, true] {
        let framing = if chunked {
            "transfer-encoding: chunked".to_owned()
        } else {
            format!("content-length: {size}")
        };
        let mut sent = Ask::events(json!({})).head(&framing);
        if chunked {
            sent.extend(format!("{size:x}\r\n").into_bytes());
        }
        sent.extend(vec![b' '; size]);
        let (mut from, mut to) = server.connect().await.into_split();
        // A simple client: it sends everything before it reads a word.
        to.write_all(&sent).await.unwrap();
        let answer = read_answer(&mut from).await;
        assert_eq!(answer.problem().code, Code::RequestTooLarge);
        drop(to);
        assert_eq!(rest(&mut from).await, b"");
    }
}

#[tokio::test]
async fn a_declared_length_is_refused_before_a_byte_of_it_is_sent() {
    let server = Server::start(Limits::STANDARD).await;
    let mut stream = server.connect().await;
    let head = Ask::check().with("expect", "100-continue").head("content-length: 70000");
    stream.write_all(&head).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.problem().code, Code::RequestTooLarge);
}

#[tokio::test]
async fn a_call_refused_by_its_headers_does_not_cost_the_connection() {
    let server = Server::start(Limits::STANDARD).await;
    let mut stream = server.connect().await;
    let refused = Ask::check().without("authorization");
    stream.write_all(&refused.bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.problem().code, Code::AuthMissing);
    stream.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

#[tokio::test]
async fn a_head_beyond_its_limit_is_refused() {
    let server = Server::start(Limits::STANDARD).await;
    let mut stream = server.connect().await;
    let head = Ask::check().head(&format!("x-padding: {}", "x".repeat(40 << 10)));
    stream.write_all(&head).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 431);
    assert_eq!(server.site.reached(), 0);
}

#[tokio::test]
async fn a_panic_ends_one_call_and_not_even_its_connection() {
    let server = Server::start(Limits::STANDARD).await;
    let mut stream = server.connect().await;
    stream.write_all(&Ask::check_with(json!({"feature": "panics"})).bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.problem().code, Code::ServerInternal);
    stream.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

#[tokio::test]
async fn idle_connections_make_room_for_one_that_asks() {
    let limits = Limits { connections: 2, spare_time: SHORT / 10, ..Limits::STANDARD };
    let server = Server::start(limits).await;
    let mut used = server.connect().await;
    used.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut used).await.status, 200);
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(server.connect().await);
    }
    assert_eq!(server.ask(Ask::check()).await.status, 200);
    assert!(server.slots.taken() <= 2);
    assert_eq!(rest(&mut used).await, b"", "it was idle longest");
}

#[tokio::test]
async fn a_call_in_flight_keeps_its_place_and_the_next_waits_for_it() {
    let limits = Limits { connections: 1, spare_time: SHORT / 10, ..Limits::STANDARD };
    let server = Server::start(limits).await;
    let mut first = server.connect().await;
    first.write_all(&Ask::check_with(json!({"feature": "waits"})).bytes()).await.unwrap();
    server.site.begun.notified().await;
    let mut second = server.connect().await;
    second.write_all(&Ask::check().bytes()).await.unwrap();
    assert!(
        tokio::time::timeout(SHORT, second.read_u8()).await.is_err(),
        "no place is free, and the only one is not idle"
    );
    server.site.go_on.notify_one();
    assert_eq!(read_answer(&mut first).await.status, 200);
    assert_eq!(read_answer(&mut second).await.status, 200);
}

#[tokio::test]
async fn a_shutdown_lets_calls_in_flight_finish_and_closes_idle_connections() {
    let server = Server::start(Limits::STANDARD).await;
    let mut idle = server.connect().await;
    idle.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut idle).await.status, 200);
    let mut silent = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(&Ask::check_with(json!({"feature": "waits"})).bytes()).await.unwrap();
    server.site.begun.notified().await;

    server.stop.send(()).unwrap();
    assert_eq!(rest(&mut idle).await, b"");
    assert_eq!(rest(&mut silent).await, b"");
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing new is accepted");
    server.site.go_on.notify_one();
    let answer = read_answer(&mut busy).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), Some("close"));
    drop(busy);
    server.ended.await.unwrap();
    assert_eq!(server.slots.taken(), 0);
}

#[tokio::test]
async fn a_call_that_never_finishes_does_not_hold_up_a_shutdown() {
    let server = Server::start(Limits { drain_time: SHORT, ..Limits::STANDARD }).await;
    let mut busy = server.connect().await;
    busy.write_all(&Ask::check_with(json!({"feature": "waits"})).bytes()).await.unwrap();
    server.site.begun.notified().await;
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
    assert_eq!(rest(&mut busy).await, b"");
    assert_eq!(server.slots.taken(), 0);
}

#[tokio::test]
async fn a_failing_accept_is_tried_again() {
    struct Starved {
        listener: TcpListener,
        attempts: AtomicUsize,
    }

    impl Listener for Starved {
        type Raw = TcpStream;
        type Greeter = Plain<TcpStream>;

        async fn accept(&self) -> io::Result<TcpStream> {
            match self.attempts.fetch_add(1, Ordering::Relaxed) {
                0 => Err(io::ErrorKind::ConnectionAborted.into()),
                1 | 2 => Err(io::Error::other("no file descriptor left")),
                _ => Listener::accept(&self.listener).await,
            }
        }

        fn greeter(&self) -> Plain<TcpStream> {
            self.listener.greeter()
        }
    }

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { accept_pause: SHORT / 10, ..Limits::STANDARD };
    let router = routes(Site::new(), &limits);
    let starved = Starved { listener, attempts: AtomicUsize::new(0) };
    tokio::spawn(serve(starved, router, Slots::new(1), limits, pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&Ask::check().bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

/// Reads one answer, and nothing after it.
async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HeaderMap = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            let name: HeaderName = name.parse().unwrap();
            let value: HeaderValue = value.parse().unwrap();
            (name, value)
        })
        .collect();
    let length = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Answer { status, headers, body }
}

/// What still comes until the other side ends the connection, in whichever way.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ended_or_reset = stream.read_to_end(&mut rest).await;
    rest
}
