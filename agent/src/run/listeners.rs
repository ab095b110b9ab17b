//! Listeners: the doors while they are served.

use std::{future::pending, sync::Arc};

use tokio::{sync::watch, task::JoinSet};

use farhold_api::{CheckFirst, Limits, Slots};

use crate::{
    admin::{self, Admin},
    doors::Doors,
    kernel::LocalKernel,
    probes,
};

/// Serves each door in a task of its own until `stopped` says so.
pub(super) fn open(
    doors: Doors,
    kernel: &Arc<LocalKernel>,
    admin: &Arc<Admin>,
    stopped: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let limits = Limits::STANDARD;
    let runtimes =
        CheckFirst::new(Arc::clone(kernel), &limits, super::runtime_routes(kernel, admin, &limits));
    let admins = farhold_api::refusing_the_rest(
        admin::routes(Arc::clone(admin)).merge(probes::routes(Arc::clone(admin))),
    );
    let slots = Slots::new(limits.connections);
    let mut serving = JoinSet::new();
    if let Some(tcp) = doors.tcp {
        serving.spawn(farhold_api::serve(
            tcp,
            runtimes.clone(),
            slots.clone(),
            limits,
            told(stopped),
        ));
    }
    serving.spawn(farhold_api::serve(doors.runtimes, runtimes, slots, limits, told(stopped)));
    let slots = Slots::new(limits.admin_connections);
    serving.spawn(farhold_api::serve(doors.admin, admins, slots, limits, told(stopped)));
    serving
}

/// Waits for what must not be: that a door is served no more although nobody said so. An agent that
/// lives and is deaf would be started again by nobody.
pub(super) async fn ended_unasked(listeners: &mut JoinSet<()>) -> anyhow::Error {
    match listeners.join_next().await {
        Some(Ok(())) => anyhow::anyhow!("a listener has ended"),
        Some(Err(error)) => anyhow::Error::new(error).context("a listener has ended"),
        None => pending().await,
    }
}

fn told(stopped: &watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let mut stopped = stopped.clone();
    async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    }
}
