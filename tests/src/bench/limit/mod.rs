//! Limit: bare servers that do the least a durable or a quick answer can cost.
//!
//! The same axum and hyper, the same number of workers and the same release profile as the
//! agent, and nothing of what the agent is for: no headers read, no token, no policy, no chain.

mod check;
mod events;

use std::{io::Write, net::Ipv4Addr, path::Path};

use anyhow::{Context, Result, bail};
use axum::Router;
use tokio::net::TcpListener;

/// Runs one of the servers until the process is ended.
///
/// # Errors
/// Unknown words, or whatever keeps it from serving.
pub fn run(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["check", body] => {
            serve(check::router(std::fs::read(body).context("the body can't be read")?))
        }
        ["events", database] => serve(events::router(Path::new(database))?),
        _ => bail!("usage: limit check BODY-FILE | limit events DATABASE"),
    }
}

fn serve(router: Router) -> Result<()> {
    // As many as the agent takes.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        axum::serve(listener, router).await?;
        Ok(())
    })
}
