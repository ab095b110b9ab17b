//! What is refused before it is kept or parsed.

/// Bounds on hostile input, each with its reason.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest event in bytes: a group of 1,000 must still fit one commit.
    pub event_bytes: usize,
    /// Deepest nesting of an event's JSON, the event itself counted: the walk uses the stack.
    pub json_depth: usize,
    /// Longest `actor_id` in bytes: it is indexed at the Kernel.
    pub actor_id_bytes: usize,
    /// Longest `type` in bytes.
    pub kind_bytes: usize,
    /// Longest `correlation_id` in bytes (contract v0.1 §4).
    pub correlation_id_bytes: usize,
    /// Longest record line in bytes, line feed included: an event whose every byte is escaped
    /// doubles, and redaction adds a little.
    pub line_bytes: usize,
}

/// The limits of audit.
pub const LIMITS: Limits = Limits {
    event_bytes: 64 * 1024,
    json_depth: 16,
    actor_id_bytes: 256,
    kind_bytes: 128,
    correlation_id_bytes: 128,
    line_bytes: 256 * 1024,
};
