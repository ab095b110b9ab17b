//! The readers: threads with read-only connections, fed by one bounded queue.

use std::{path::Path, thread::JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::{error::StorageError, limits::Limits};

type Query = Box<dyn FnOnce(&Connection) + Send>;

/// Where reads are handed in.
pub(super) struct Readers {
    queue: Option<Sender<Query>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn start(path: &Path, limits: &Limits) -> Result<Self, StorageError> {
        let (queue, queries) = crossbeam_channel::bounded(limits.queue_reads);
        let mut readers = Self { queue: Some(queue), threads: Vec::new() };
        for number in 0..limits.readers.max(1) {
            let connection = open(path).map_err(StorageError::unavailable("open a reader"))?;
            let queries: Receiver<Query> = queries.clone();
            let thread = std::thread::Builder::new()
                .name(format!("storage-reader-{number}"))
                .spawn(move || queries.iter().for_each(|query| query(&connection)))
                .map_err(StorageError::thread)?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Queues a read.
    ///
    /// # Errors
    /// [`StorageError::Overloaded`] if the queue is full.
    pub(super) fn submit<T, Q>(
        &self,
        query: Q,
    ) -> Result<oneshot::Receiver<Result<T, StorageError>>, StorageError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    {
        let queue = self.queue.as_ref().ok_or(StorageError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let run: Query = Box::new(move |connection| {
            // Nobody waits any more: the read would be for nothing.
            if !reply.is_closed() {
                let _ = reply.send(query(connection));
            }
        });
        queue.try_send(run).map_err(|error| match error {
            TrySendError::Full(_) => StorageError::Overloaded,
            TrySendError::Disconnected(_) => StorageError::Closed,
        })?;
        Ok(answer)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -8 * 1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
