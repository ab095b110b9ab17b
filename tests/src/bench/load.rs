//! Load: many connections that post one request each, again as soon as it is answered.
//!
//! A generator of our own, because each post carries event ids that nobody has sent before.
//! It speaks just enough HTTP/1.1 for both sides of a comparison, and runs on one thread.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use uuid::Uuid;

/// Stands for an event id that is new in each request.
pub(super) const NEW_ID: &str = "00000000-0000-7000-8000-00000000new1";

/// Answers of this first part of a round are not counted.
const WARM: Duration = Duration::from_millis(400);
/// A server that is silent for so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request, sent again and again with new event ids.
#[derive(Debug, Clone)]
pub(super) struct Request {
    bytes: Vec<u8>,
    ids: Vec<usize>,
}

/// What a round came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    /// Answers a second.
    pub(super) per_second: f64,
    /// The time half of the answers took at most.
    pub(super) p50: Duration,
    /// The time 99 of 100 answers took at most.
    pub(super) p99: Duration,
}

impl Request {
    /// A post with these headers; [`NEW_ID`] in the body becomes a new id each time.
    pub(super) fn post(path: &str, headers: &[(String, String)], body: &str) -> Self {
        let mut text = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n",
            body.len()
        );
        headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        text.push_str("\r\n");
        text.push_str(body);
        let ids = text.match_indices(NEW_ID).map(|(at, _)| at).collect();
        Self { bytes: text.into_bytes(), ids }
    }

    fn renew(&mut self) {
        for &at in &self.ids {
            let id = &mut self.bytes[at..at + NEW_ID.len()];
            Uuid::now_v7().hyphenated().encode_lower(id);
        }
    }
}

/// Posts over so many connections for so long.
///
/// # Errors
/// Any answer that is not 200, or that refuses one of several events.
pub(super) fn drive(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    request: &Request,
) -> Result<Flow> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times_us = runtime.block_on(async {
        let begin = Instant::now() + WARM;
        let end = begin + time;
        let mut posting = JoinSet::new();
        for _ in 0..connections {
            posting.spawn(post(address, request.clone(), begin, end));
        }
        let mut times_us = Vec::new();
        while let Some(posted) = posting.join_next().await {
            times_us.extend(posted??);
        }
        anyhow::Ok(times_us)
    })?;
    times_us.sort_unstable();
    let at = |share: usize| {
        let time_us = times_us.get(times_us.len().saturating_sub(1) * share / 100);
        Duration::from_micros(time_us.copied().unwrap_or_default().into())
    };
    Ok(Flow { per_second: times_us.len() as f64 / time.as_secs_f64(), p50: at(50), p99: at(99) })
}

/// Posts once, over a connection of its own.
///
/// # Errors
/// As [`drive`].
pub(super) fn once(address: SocketAddr, request: &Request) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(address).await?;
        connection.post(&mut request.clone()).await
    })
}

/// Posts so many times, over one connection.
///
/// # Errors
/// As [`drive`].
pub(super) fn repeat(address: SocketAddr, times: usize, request: &Request) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut request = request.clone();
        let mut connection = Connection::open(address).await?;
        for _ in 0..times {
            connection.post(&mut request).await?;
        }
        Ok(())
    })
}

async fn post(
    address: SocketAddr,
    mut request: Request,
    begin: Instant,
    end: Instant,
) -> Result<Vec<u32>> {
    let mut connection = Connection::open(address).await?;
    let mut times_us = Vec::new();
    loop {
        let sent = Instant::now();
        connection.post(&mut request).await?;
        let answered = Instant::now();
        if answered >= end {
            return Ok(times_us);
        }
        if answered >= begin {
            times_us.push(u32::try_from((answered - sent).as_micros()).unwrap_or(u32::MAX));
        }
    }
}

/// One connection, kept open.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(64 << 10) })
    }

    /// Posts the request with new ids, and waits until every event of it is kept.
    async fn post(&mut self, request: &mut Request) -> Result<()> {
        request.renew();
        self.stream.write_all(&request.bytes).await.context("the request can't be sent")?;
        self.answer.clear();
        let body_at = loop {
            self.read().await?;
            if let Some(at) = find(&self.answer, b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = std::str::from_utf8(&self.answer[..body_at])?.to_ascii_lowercase();
        let length: usize = head
            .split("\r\n")
            .find_map(|line| line.strip_prefix("content-length:"))
            .ok_or_else(|| anyhow!("an answer without its length: {head}"))?
            .trim()
            .parse()?;
        while self.answer.len() < body_at + length {
            self.read().await?;
        }
        let body = &self.answer[body_at..];
        if !head.starts_with("http/1.1 200 ") || find(body, b"\"code\"").is_some() {
            bail!("refused: {head}{}", String::from_utf8_lossy(&body[..body.len().min(500)]));
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<()> {
        let reading = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.answer));
        match reading.await.context("no answer came")?? {
            0 => bail!("the connection was closed"),
            _ => Ok(()),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
