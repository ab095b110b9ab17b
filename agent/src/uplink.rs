//! The uplink: what a managed agent does about its Kernel, one task a concern.
//!
//! Each task drives a machine of `farhold_sync`, which says what to do and when; the [`Line`] they
//! share carries values between the link, the owner and the
//! [`LinkBoard`](crate::link_board::LinkBoard). Nothing that answers a
//! product waits for any of it.

mod heartbeat;
mod line;
mod pull;
mod push;
mod registration;
mod renewal;
mod trust;

use std::sync::Arc;

use tokio::{sync::watch, task::JoinSet};

pub use line::{Heard, Line, Wiring};

/// Starts every task; they end when `stopped` says so.
pub fn start(line: &Arc<Line>, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(until(stopped.clone(), heartbeat::run(Arc::clone(line))));
    tasks.spawn(until(stopped.clone(), pull::run(Arc::clone(line))));
    tasks.spawn(until(stopped.clone(), push::run(Arc::clone(line))));
    tasks.spawn(until(stopped.clone(), registration::run(Arc::clone(line))));
    tasks.spawn(until(stopped.clone(), renewal::run(Arc::clone(line))));
    tasks.spawn(until(stopped.clone(), trust::run(Arc::clone(line))));
    tasks
}

async fn until(mut stopped: watch::Receiver<bool>, concern: impl Future<Output = ()>) {
    tokio::select! {
        () = concern => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}
