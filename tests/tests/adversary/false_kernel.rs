//! False Kernel: a Kernel in other hands. It has the true one's keys and address, and answers as a
//! test tells it to.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};

use farhold_keys::FileSigner;
use farhold_tests::kernel_process::Kernel;

use crate::rogue::now;

/// A request, as far as an answer depends on it.
pub(crate) struct Asked {
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
}

/// A server in a Kernel's place.
pub(crate) struct FalseKernel {
    address: std::net::SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FalseKernel {
    /// In the place of a Kernel that does not run. A heartbeat it answers by `word` on top of
    /// nothing taken away; a batch by `batch`; everything else it can't now.
    pub(crate) fn in_place_of(
        kernel: &Kernel,
        word: Value,
        batch: impl Fn(&Asked) -> Value + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(configured(kernel));
        let listener = TcpListener::bind(kernel.address()).unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let answer = Arc::new(move |asked: &Asked| {
            if asked.target.ends_with("/heartbeat") {
                (200, heartbeat(&word))
            } else if asked.target.ends_with("/batches") {
                (200, batch(asked))
            } else {
                (503, json!({"code": "server.overloaded", "title": "not now", "status": 503}))
            }
        });
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (config, answer) = (Arc::clone(&config), Arc::clone(&answer));
                thread::spawn(move || converse(stream.unwrap(), config, &*answer));
            }
        });
        Self { address: kernel.address(), stopped, thread: Some(thread) }
    }
}

impl Drop for FalseKernel {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Whoever waits for a connection looks again once one comes.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The key that signs a Kernel's receipts.
pub(crate) fn receipt_key(kernel: &Kernel) -> FileSigner {
    farhold_keys::load(&kernel.data().join("receipt.key"), None).unwrap()
}

fn heartbeat(word: &Value) -> Value {
    let mut answer = json!({
        "status": "active", "features_denied": [], "server_time": now(), "poll_after": 1,
        "contract_versions": ["v0.1", "v0.2"],
    });
    for (member, value) in word.as_object().unwrap() {
        answer[member] = value.clone();
    }
    answer
}

fn configured(kernel: &Kernel) -> ServerConfig {
    let data = kernel.data();
    let mut chain = vec![CertificateDer::from_pem_file(data.join("server.pem")).unwrap()];
    let ca = kernel.ca();
    chain.extend(CertificateDer::pem_slice_iter(ca.as_bytes()).map(Result::unwrap));
    let key = PrivateKeyDer::from_pem_file(data.join("server.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

fn converse(stream: TcpStream, config: Arc<ServerConfig>, answer: &dyn Fn(&Asked) -> (u16, Value)) {
    let session = ServerConnection::new(config).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(session, stream));
    while let Some(asked) = asked(&mut stream) {
        let (status, body) = answer(&asked);
        let media = if status == 200 { "application/json" } else { "application/problem+json" };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} So\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let peer = stream.get_mut();
        if peer.write_all((head + &body).as_bytes()).and_then(|()| peer.flush()).is_err() {
            break;
        }
    }
    let _ = stream.get_mut().sock.shutdown(Shutdown::Both);
}

fn asked(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok().filter(|length| *length > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { target, body })
}
