//! The network in a test's hands does what its words say: else a story on it proves nothing.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use farhold_tests::{
    net::{Authority, Behavior, ConnectProxy, Direction, Hostile, Interceptor, Tunnel, namespace},
    site::eventually,
};

/// Long enough for loopback, short enough for a test.
const MOMENT: Duration = Duration::from_millis(150);

/// A server that sends back what it hears; how many bytes it heard.
fn echo() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, counted) = (stream.unwrap(), Arc::clone(&counted));
            thread::spawn(move || {
                let mut bytes = [0; 1024];
                while let Ok(read @ 1..) = stream.read(&mut bytes) {
                    counted.fetch_add(read, Ordering::SeqCst);
                    if stream.write_all(&bytes[..read]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, heard)
}

fn through(network: &Hostile) -> TcpStream {
    let stream = TcpStream::connect(network.address()).unwrap();
    stream.set_read_timeout(Some(MOMENT)).unwrap();
    stream
}

/// Says a word and reads it back.
fn hears(stream: &mut TcpStream, word: &[u8]) -> std::io::Result<()> {
    stream.write_all(word)?;
    let mut back = vec![0; word.len()];
    stream.read_exact(&mut back)?;
    assert_eq!(back, word);
    Ok(())
}

fn is_silent(stream: &mut TcpStream) -> bool {
    let silence = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
    stream.read(&mut [0]).is_err_and(|error| silence.contains(&error.kind()))
}

#[test]
fn what_passes_is_whole_and_counted() {
    let (server, _) = echo();
    let network = Hostile::before(server);
    let mut stream = through(&network);
    hears(&mut stream, b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "an end passes too");
    assert_eq!(network.connections(), 1);
    assert_eq!((network.bytes(Direction::Up), network.bytes(Direction::Down)), (5, 5));
}

#[test]
fn who_refuses_resets_what_stood_and_can_come_back_at_the_same_port() {
    let (server, _) = echo();
    let network = Hostile::before(server);
    let mut stream = through(&network);
    hears(&mut stream, b"hello").unwrap();
    network.turns(Behavior::Refuse);
    let refused = TcpStream::connect(network.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    network.turns(Behavior::Pass);
    hears(&mut through(&network), b"hello again").unwrap();
}

#[test]
fn a_black_hole_takes_everything_and_gives_it_back_when_it_heals() {
    let (server, heard) = echo();
    let network = Hostile::before(server);
    let mut stood = through(&network);
    hears(&mut stood, b"before").unwrap();
    network.turns(Behavior::BlackHole);
    let mut came = through(&network);
    for stream in [&mut stood, &mut came] {
        stream.write_all(b"word").unwrap();
        assert!(is_silent(stream));
    }
    assert_eq!(heard.load(Ordering::SeqCst), 6);
    network.turns(Behavior::Pass);
    for stream in [&mut stood, &mut came] {
        let mut back = [0; 4];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"word");
    }
}

#[test]
fn half_open_is_one_direction() {
    let (server, heard) = echo();
    let network = Hostile::before(server);
    network.turns(Behavior::HalfOpen(Direction::Down));
    let mut stream = through(&network);
    stream.write_all(b"word").unwrap();
    eventually("it is heard", || heard.load(Ordering::SeqCst) == 4);
    assert!(is_silent(&mut stream));
    network.turns(Behavior::HalfOpen(Direction::Up));
    let mut stream = through(&network);
    stream.write_all(b"word").unwrap();
    assert!(is_silent(&mut stream));
    assert_eq!(heard.load(Ordering::SeqCst), 4);
}

#[test]
fn a_reset_comes_after_exactly_so_many_bytes() {
    for (direction, there) in [(Direction::Up, 300), (Direction::Down, 1_000)] {
        let (server, heard) = echo();
        let network = Hostile::before(server);
        network.turns(Behavior::ResetAfter(direction, 300));
        let mut stream = through(&network);
        stream.write_all(&[7; 1_000]).unwrap();
        let mut all = Vec::new();
        let ended = stream.read_to_end(&mut all).unwrap_err();
        assert_eq!(ended.kind(), ErrorKind::ConnectionReset, "{direction:?}");
        assert!(all.len() <= 300, "{direction:?}: {}", all.len());
        assert_eq!(network.bytes(direction), 300);
        eventually("the rest is heard", || heard.load(Ordering::SeqCst) == there);
    }
}

#[test]
fn a_drip_is_slow_and_a_delay_late() {
    let (server, _) = echo();
    let network = Hostile::before(server);
    let took = |network: &Hostile| {
        let (mut stream, began) = (through(network), Instant::now());
        stream.set_read_timeout(None).unwrap();
        hears(&mut stream, b"0123456789").unwrap();
        began.elapsed()
    };
    network.turns(Behavior::Drip(Direction::Up, Duration::from_millis(10)));
    assert!(took(&network) >= Duration::from_millis(90));
    network.turns(Behavior::Delay(Duration::from_millis(40)));
    assert!(took(&network) >= Duration::from_millis(80));
}

#[test]
fn a_cut_answer_lets_the_question_through() {
    let (server, heard) = echo();
    let network = Hostile::before(server);
    network.turns(Behavior::CutAnswer);
    let mut stream = through(&network);
    stream.write_all(b"question").unwrap();
    eventually("it is heard", || heard.load(Ordering::SeqCst) == 8);
    assert!(is_silent(&mut stream));
}

#[test]
fn a_proxy_leads_out_only_who_knows_its_password() {
    let (server, _) = echo();
    let proxy = ConnectProxy::for_one("ana", "s3cret");
    let ask = |authorization: &str| {
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        let head =
            format!("CONNECT kernel.example:{} HTTP/1.1\r\n{authorization}\r\n", server.port());
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        (String::from_utf8_lossy(&answer).into_owned(), stream)
    };
    assert_eq!(ask("").0, "HTTP/1.1 407");
    assert_eq!(ask("Proxy-Authorization: Basic YW5hOndyb25n\r\n").0, "HTTP/1.1 407");
    let (status, mut stream) = ask("Proxy-Authorization: Basic YW5hOnMzY3JldA==\r\n");
    assert_eq!(status, "HTTP/1.1 200");
    let mut rest = [0; b" Connection established\r\n\r\n".len()];
    stream.read_exact(&mut rest).unwrap();
    hears(&mut stream, b"hello").unwrap();
    let statuses: Vec<u16> = proxy.asked().iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [407, 407, 200]);
}

#[test]
fn an_interceptor_reads_who_trusts_it_and_is_refused_by_who_does_not() {
    let (ours, theirs) = (Authority::new("Kernel"), Authority::new("Inspection"));
    let interceptor = Interceptor::inspecting(&theirs, "localhost");
    let ask = |ca: &str| {
        let tunnel = Tunnel::to(interceptor.address().port(), "localhost", ca, None);
        tunnel.door().call("GET", "/kernel/contract", &[("x-secret", "canary")], b"")
    };
    let answer = ask(&theirs.pem()).unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html")));
    assert!(String::from_utf8_lossy(&interceptor.overheard()).contains("canary"));
    let before = interceptor.overheard().len();
    ask(&ours.pem()).unwrap_err();
    eventually("its certificate is refused", || interceptor.refused() == 1);
    assert_eq!(interceptor.overheard().len(), before);
}

#[test]
fn a_host_can_be_cut_off_and_comes_back() {
    let Some(network) = namespace::network("a_host_can_be_cut_off_and_comes_back") else { return };
    let (kernel, site) = (network.host("kernel"), network.host("site"));
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let serve = "import http.server,sys,pathlib\n\
        server = http.server.HTTPServer((sys.argv[1], 80), http.server.SimpleHTTPRequestHandler)\n\
        pathlib.Path(sys.argv[2]).touch()\nserver.serve_forever()";
    let mut python = Command::new("python3");
    python.args(["-c", serve, kernel.address()]).arg(&ready).current_dir(folder.path());
    let started = kernel.runs(&python).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut server = started.unwrap();
    eventually("the server is ready", || fs::exists(&ready).unwrap());
    let reaches = || {
        let fetch = format!(
            "import urllib.request as u; u.urlopen('http://{}/', timeout=0.5).read()",
            kernel.address()
        );
        let mut python = Command::new("python3");
        python.args(["-c", &fetch]);
        let ran = site.runs(&python).output().unwrap();
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    assert_eq!(reaches(), (true, String::new()));
    site.cut();
    assert!(!reaches().0);
    site.healed();
    eventually("it is reached again", || reaches().0);
    site.has_no_way_to(&kernel);
    assert!(reaches().1.contains("No route to host"));
    site.has_a_way_to(&kernel);
    site.black_hole_at(&kernel);
    assert!(reaches().1.contains("timed out"));
    site.has_a_way_to(&kernel);
    eventually("it is reached again", || reaches().0);
    server.kill().unwrap();
    server.wait().unwrap();
}
