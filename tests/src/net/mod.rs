//! A network in a test's hands: hosts that can be cut off, and everything that stands between a
//! site and its Kernel and misbehaves.
//!
//! [`namespace`] has hosts as the system's own network namespaces; where the machine lets nobody
//! make them, [`Hostile`] stands between two processes on loopback. [`ConnectProxy`] is the proxy a
//! company has, [`Interceptor`] the one that opens what passes, or the portal of a hotel.
//! [`Tunnel`] lets a test's own plain HTTP client speak to a Kernel over mutual TLS.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod authority;
mod behavior;
mod connect_proxy;
mod hostile;
mod interceptor;
mod listener;
pub mod namespace;
mod port;
mod pump;
mod tunnel;

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

pub use authority::Authority;
pub use behavior::{Behavior, Direction};
pub use connect_proxy::ConnectProxy;
pub use hostile::Hostile;
pub use interceptor::Interceptor;
pub use port::free_port;
pub use tunnel::{Identity, Tunnel};

/// What every server of a test runs on.
fn engine() -> &'static Runtime {
    static ENGINE: OnceLock<Runtime> = OnceLock::new();
    ENGINE.get_or_init(|| {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads")
    })
}
