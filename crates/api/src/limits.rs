//! Limits: how much of everything one caller may take, and why.

use std::time::Duration;

/// How much of everything one caller may take.
///
/// [`Limits::STANDARD`] is what every door uses; tests make theirs smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in the body of a check, register or resolve call. The largest honest one
    /// is a resolve with a SAML assertion of some 20 KiB.
    pub body_bytes: usize,
    /// Bytes in the body of a heartbeat: an agent's report of a thousand runtimes and a few hundred
    /// licenses.
    pub heartbeat_body_bytes: usize,
    /// Bytes in the body of an events call: a batch of 1 MiB of events (operations.md,
    /// "Numbers") and what JSON puts around them.
    pub events_body_bytes: usize,
    /// Bytes in a feature's name, a version or a capability. A license can't name a longer one,
    /// and a refusal keeps the feature's name in the audit.
    pub text_bytes: usize,
    /// Bytes in a request's head. The contract's headers fill under 1 KiB; a proxy or a tracing
    /// library adds a few more. (At most 100 headers: hyper's own count, which costs no
    /// allocation.)
    pub head_bytes: usize,
    /// Bytes one connection buffers of what it reads, at least 8 KiB: the size of the pieces in
    /// which a large body arrives.
    pub buffer_bytes: usize,
    /// From accepting a connection, or from the first byte of a later request, to the end of the
    /// head: nobody holds a slot by sending half a header.
    pub head_time: Duration,
    /// From the end of the head to the end of the body, all of it.
    pub body_time: Duration,
    /// Between two requests, and for a peer that does not take its answer.
    pub idle_time: Duration,
    /// How long an idle connection is safe when another waits for its slot: many idle ones
    /// can't shut out one that asks.
    pub spare_time: Duration,
    /// After an answer that leaves the body unread, how long the rest is thrown away, so that
    /// the answer arrives before the connection's end does.
    pub linger_time: Duration,
    /// How long calls in flight may take once the server is told to stop.
    pub drain_time: Duration,
    /// Before accepting again when the process has no file descriptor left.
    pub accept_pause: Duration,
    /// Connections at the runtimes' doors together. With the admin door's, 512.
    pub connections: usize,
    /// Connections kept for the admin door: runtimes can't lock the administrator out.
    pub admin_connections: usize,
}

impl Limits {
    /// The limits of every door.
    pub const STANDARD: Self = Self {
        body_bytes: 64 << 10,
        heartbeat_body_bytes: 512 << 10,
        events_body_bytes: (1 << 20) + (64 << 10),
        text_bytes: 256,
        head_bytes: 16 << 10,
        buffer_bytes: 64 << 10,
        head_time: Duration::from_secs(10),
        body_time: Duration::from_secs(10),
        idle_time: Duration::from_secs(60),
        spare_time: Duration::from_millis(100),
        linger_time: Duration::from_secs(1),
        drain_time: Duration::from_secs(10),
        accept_pause: Duration::from_millis(500),
        connections: 480,
        admin_connections: 32,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::STANDARD
    }
}
