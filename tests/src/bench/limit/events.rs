//! The least a durable event can cost: one thread that writes what waits, syncs once, answers all.

use std::path::Path;

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::bench::EVENTS_PATH;

/// As the agent's: so many may wait, and share one sync.
const QUEUE_MAX: usize = 8_192;
const GROUP_MAX: usize = 1_024;

/// An event and whoever waits for it to be durable.
struct Waiting {
    event: Bytes,
    durable: oneshot::Sender<()>,
}

pub(super) fn router(database: &Path) -> Result<Router> {
    let connection = open(database).context("the database can't be opened")?;
    let (queue, waiting) = crossbeam_channel::bounded(QUEUE_MAX);
    std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
        if let Err(error) = write(connection, &waiting) {
            eprintln!("error: the database refuses changes: {error}");
        }
    })?;
    Ok(Router::new().route(EVENTS_PATH, post(keep)).with_state(queue))
}

async fn keep(State(queue): State<Sender<Waiting>>, event: Bytes) -> (StatusCode, &'static str) {
    let (durable, kept) = oneshot::channel();
    if queue.try_send(Waiting { event, durable }).is_ok() && kept.await.is_ok() {
        (StatusCode::OK, "{}")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "{}")
    }
}

/// The agent's settings for durability and checkpoints; one table, no index.
fn open(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection
        .execute_batch("CREATE TABLE event (seq INTEGER PRIMARY KEY, event BLOB NOT NULL)")?;
    Ok(connection)
}

fn write(mut connection: Connection, waiting: &Receiver<Waiting>) -> rusqlite::Result<()> {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while let Ok(first) = waiting.recv() {
        group.push(first);
        group.extend(waiting.try_iter().take(GROUP_MAX - 1));
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO event (event) VALUES (?1)")?;
            for Waiting { event, .. } in &group {
                insert.execute([event.as_ref()])?;
            }
        }
        transaction.commit()?;
        for Waiting { durable, .. } in group.drain(..) {
            // A caller that went away has nothing to be told.
            let _ = durable.send(());
        }
    }
    Ok(())
}
