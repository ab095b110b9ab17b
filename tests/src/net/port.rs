//! Port: one of loopback that nothing uses.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// A port of loopback that nothing uses, from below those of sites and those that the system
/// gives away itself: it can be given up and taken again.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 3_000 + u16::try_from(std::process::id() * 7 % 6_000).expect("below 6,000");
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed) % 900;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
