//! Behavior: what a hostile network does to what passes through it.

use std::time::Duration;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the one who connected.
    Up,
    /// To the one who connected.
    Down,
}

/// What is done to connections, those that stand and those that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// Everything passes.
    Pass,
    /// Nobody listens; what stood is reset.
    Refuse,
    /// Connections are taken and nothing on them moves.
    BlackHole,
    /// Nothing moves in one direction, and nobody is told.
    HalfOpen(Direction),
    /// What is read waits so long before it goes on.
    Delay(Duration),
    /// After so many bytes in one direction, counted anew for each connection, both ends are reset.
    ResetAfter(Direction, u64),
    /// One direction moves by a byte, then rests so long.
    Drip(Direction, Duration),
    /// What is asked arrives; the answer never comes back. A TLS handshake before it passes.
    CutAnswer,
}

impl Behavior {
    /// Whether nothing moves in this direction.
    pub(super) fn stops(self, direction: Direction) -> bool {
        match self {
            Self::BlackHole => true,
            Self::HalfOpen(stopped) => stopped == direction,
            _ => false,
        }
    }
}
