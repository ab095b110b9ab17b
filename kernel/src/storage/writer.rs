//! The writer: one thread that takes many callers' operations into one transaction.
//!
//! Each operation stands in a savepoint: what one fails at, the others don't see. All share one
//! sync, and are answered after it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    directory::Directory,
    error::StorageError,
    limits::Limits,
    txn::{Live, Numbers, Txn},
};

/// Where operations are handed in.
pub(super) struct Writer {
    queue: Option<Sender<Queued>>,
    waiting_bytes: Arc<AtomicUsize>,
    queue_bytes: usize,
    thread: Option<JoinHandle<()>>,
}

/// An operation on its way to the writer.
struct Queued {
    bytes: usize,
    operation: Box<dyn Operation>,
}

/// An operation and its caller.
trait Operation: Send {
    /// Does it, and keeps its result for the answer. Whether it stays is the result's to say.
    fn run(&mut self, txn: &mut Txn<'_>) -> Kept;

    /// Answers the caller: with the result, or with what happened to the whole group.
    fn answer(self: Box<Self>, group: Result<(), StorageError>);
}

/// Whether what an operation did stays in the group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    No,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        live: Live,
        directory: Arc<Directory>,
        limits: &Limits,
    ) -> Result<Self, StorageError> {
        let (queue, operations) = crossbeam_channel::bounded(limits.queue_operations);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let mut writing = Writing {
            connection,
            live,
            directory,
            operations,
            waiting_bytes: Arc::clone(&waiting_bytes),
            limits: *limits,
        };
        let thread = std::thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || writing.run())
            .map_err(StorageError::thread)?;
        Ok(Self {
            queue: Some(queue),
            waiting_bytes,
            queue_bytes: limits.queue_bytes,
            thread: Some(thread),
        })
    }

    /// Queues an operation that brings this many bytes along.
    ///
    /// # Errors
    /// [`StorageError::Overloaded`] if the queue is full: the operation will not be done.
    pub(super) fn submit<T, O>(
        &self,
        bytes: usize,
        operation: O,
    ) -> Result<oneshot::Receiver<Result<T, StorageError>>, StorageError>
    where
        T: Send + 'static,
        O: FnOnce(&mut Txn<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        let queue = self.queue.as_ref().ok_or(StorageError::Closed)?;
        // One operation always fits, however large: it is bounded where it was read.
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if bytes > 0 && waiting > 0 && waiting.saturating_add(bytes) > self.queue_bytes {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(StorageError::Overloaded);
        }
        let (reply, answer) = oneshot::channel();
        let operation = Box::new(Pending { operation: Some(operation), result: None, reply });
        queue.try_send(Queued { bytes, operation }).map_err(|error| {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => StorageError::Overloaded,
                TrySendError::Disconnected(_) => StorageError::Closed,
            }
        })?;
        Ok(answer)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without a sender the thread finishes what is queued, and ends.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's own.
struct Writing {
    connection: Connection,
    live: Live,
    directory: Arc<Directory>,
    operations: Receiver<Queued>,
    waiting_bytes: Arc<AtomicUsize>,
    limits: Limits,
}

impl Writing {
    fn run(&mut self) {
        while let Ok(first) = self.operations.recv() {
            self.group(first);
        }
    }

    /// One transaction: the first operation and what has queued up behind it.
    fn group(&mut self, first: Queued) {
        let mut done = Vec::new();
        let outcome = self.commit_group(first, &mut done);
        if let Err(error) = &outcome {
            // What the group had numbered is gone with it.
            self.live.numbers = Numbers::default();
            tracing::error!(
                error.operations = done.len(),
                error.message = error as &dyn std::error::Error,
                "a group of changes could not be kept; its callers are told to try again"
            );
        }
        for operation in done {
            operation.answer(outcome.clone());
        }
    }

    fn commit_group(
        &mut self,
        first: Queued,
        done: &mut Vec<Box<dyn Operation>>,
    ) -> Result<(), StorageError> {
        let mut next = Some(first);
        let mut bytes = 0;
        let transaction =
            match self.connection.transaction_with_behavior(TransactionBehavior::Immediate) {
                Ok(transaction) => transaction,
                Err(error) => {
                    if let Some(queued) = next {
                        self.waiting_bytes.fetch_sub(queued.bytes, Ordering::Relaxed);
                        done.push(queued.operation);
                    }
                    return Err(StorageError::unavailable("begin a transaction")(error));
                }
            };
        let mut txn = Txn::new(&transaction, &mut self.live);
        while let Some(mut queued) = next.take() {
            self.waiting_bytes.fetch_sub(queued.bytes, Ordering::Relaxed);
            bytes += queued.bytes;
            let stood = in_savepoint(&mut txn, queued.operation.as_mut());
            done.push(queued.operation);
            stood?;
            if done.len() < self.limits.group_operations && bytes < self.limits.group_bytes {
                next = self.operations.try_recv().ok();
            }
        }
        let staged = txn.into_staged();
        transaction.commit().map_err(StorageError::unavailable("commit"))?;
        // Before anybody is answered: whoever knows of a change finds it in force.
        staged.publish(&mut self.live, &self.directory);
        Ok(())
    }
}

/// Does one operation so that it leaves everything or nothing.
///
/// # Errors
/// [`StorageError`] if the whole transaction is lost.
fn in_savepoint(txn: &mut Txn<'_>, operation: &mut dyn Operation) -> Result<(), StorageError> {
    let lost = || StorageError::unavailable("keep a group of changes");
    let stage = txn.mark();
    txn.sql().execute_batch("SAVEPOINT operation").map_err(lost())?;
    let kept = operation.run(txn);
    // A full disk may have ended the transaction under all of them.
    if txn.sql().is_autocommit() {
        return Err(StorageError::unavailable("keep a group of changes")(
            rusqlite::Error::InvalidQuery,
        ));
    }
    match kept {
        Kept::Yes => txn.sql().execute_batch("RELEASE operation").map_err(lost()),
        Kept::No => {
            txn.rewind(stage);
            txn.sql().execute_batch("ROLLBACK TO operation; RELEASE operation").map_err(lost())
        }
    }
}

struct Pending<T, O> {
    operation: Option<O>,
    result: Option<Result<T, StorageError>>,
    reply: oneshot::Sender<Result<T, StorageError>>,
}

impl<T, O> Operation for Pending<T, O>
where
    T: Send,
    O: FnOnce(&mut Txn<'_>) -> Result<T, StorageError> + Send,
{
    fn run(&mut self, txn: &mut Txn<'_>) -> Kept {
        let Some(operation) = self.operation.take() else { return Kept::No };
        // An operation carries its caller's code: a fault in it is that caller's alone, and its
        // savepoint takes back whatever it had done.
        let result =
            catch_unwind(AssertUnwindSafe(|| operation(txn))).unwrap_or(Err(StorageError::GivenUp));
        let kept = if result.is_ok() { Kept::Yes } else { Kept::No };
        self.result = Some(result);
        kept
    }

    fn answer(self: Box<Self>, group: Result<(), StorageError>) {
        let Self { result, reply, .. } = *self;
        let result = group.and_then(|()| result.unwrap_or(Err(StorageError::GivenUp)));
        // Whoever stopped waiting has been served all the same.
        let _ = reply.send(result);
    }
}
