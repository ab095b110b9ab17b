//! How much the storage takes on at once.

/// The storage's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most operations waiting for the writer; beyond it callers are told to come back. At the
    /// thousands a second that a disk gives, a full queue is worked off in about a second.
    pub queue_operations: usize,
    /// Most bytes that waiting operations may hold: a few of the largest batches.
    pub queue_bytes: usize,
    /// Most operations in one transaction: they all wait for its one sync.
    pub group_operations: usize,
    /// Bytes after which a transaction takes in nothing more: a commit stays a fraction of a second.
    pub group_bytes: usize,
    /// Threads that read, each with a connection.
    pub readers: usize,
    /// Most reads waiting for a reader.
    pub queue_reads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_operations: 2048,
            queue_bytes: 64 << 20,
            group_operations: 512,
            group_bytes: 16 << 20,
            readers: 4,
            queue_reads: 1024,
        }
    }
}
