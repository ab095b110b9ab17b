//! Load: many connections that post one request each, again as soon as it is answered.
//!
//! A generator of our own, because each post carries event ids that nobody has sent before.
//! It speaks just enough HTTP/1.1 for both sides of a comparison, and runs on one thread.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};
use tokio::{net::TcpStream, task::JoinSet};

use super::{
    template::Template,
    wire::{Wire, find},
};

/// Answers of this first part of a round are not counted.
const WARM: Duration = Duration::from_millis(400);
/// Over so many connections a backlog is handed over.
const CONNECTIONS: usize = 4;

/// A request, sent again and again with what is new in its [`Template`].
#[derive(Debug, Clone)]
pub(super) struct Request(Template);

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
    /// A post with these headers; what a [`Template`] renews in the body is new each time.
    pub(super) fn post(path: &str, headers: &[(String, String)], body: &str) -> Self {
        let mut text = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n",
            body.len()
        );
        headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        text.push_str("\r\n");
        text.push_str(body);
        Self(Template::new(text))
    }

    /// Posts it, and waits until every event of it is kept.
    async fn send(&mut self, wire: &mut Wire<TcpStream>) -> Result<()> {
        let answer = wire.exchange(self.0.renew()).await?;
        if answer.status != 200 || find(answer.body, b"\"code\"").is_some() {
            let said = String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]);
            bail!("refused: {} {said}", answer.status);
        }
        Ok(())
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
        let mut wire = Wire::open(address).await?;
        request.clone().send(&mut wire).await
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
        let mut wire = Wire::open(address).await?;
        for _ in 0..times {
            request.send(&mut wire).await?;
        }
        Ok(())
    })
}

/// Posts so many times, over a few connections at once.
///
/// # Errors
/// As [`drive`].
pub(super) fn fill(address: SocketAddr, times: usize, request: &Request) -> Result<()> {
    std::thread::scope(|scope| {
        let filling: Vec<_> = (0..CONNECTIONS)
            .map(|at| {
                let times = times / CONNECTIONS + usize::from(at < times % CONNECTIONS);
                scope.spawn(move || repeat(address, times, request))
            })
            .collect();
        filling.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| anyhow!("a connection's thread panicked"))?
        })
    })
}

async fn post(
    address: SocketAddr,
    mut request: Request,
    begin: Instant,
    end: Instant,
) -> Result<Vec<u32>> {
    let mut wire = Wire::open(address).await?;
    let mut times_us = Vec::new();
    loop {
        let sent = Instant::now();
        request.send(&mut wire).await?;
        let answered = Instant::now();
        if answered >= end {
            return Ok(times_us);
        }
        if answered >= begin {
            times_us.push(u32::try_from((answered - sent).as_micros()).unwrap_or(u32::MAX));
        }
    }
}
