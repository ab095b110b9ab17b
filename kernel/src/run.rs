//! The running Kernel: bind first, serve when there is something to answer with, READY last.

use std::{future::pending, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinSet,
};

use farhold_api::{Limits, Slots};

use crate::{
    admin, agents,
    clock::SystemClock,
    config::Config,
    control,
    control_plane::ControlPlane,
    doors::{Doors, allow_connections},
    intake, open, probes,
    server_identity::ServerIdentity,
};

/// How often what calls counted is written and what is over is forgotten.
const TICK: Duration = Duration::from_secs(1);

/// How often it is looked whether the server certificate is past two thirds of its life.
const IDENTITY_CHECK: Duration = Duration::from_hours(6);

/// Runs the Kernel until it is told to stop.
///
/// # Errors
/// Whatever keeps it from serving; after READY only that a door is served no more, by a defect of
/// ours. Whoever watches the service starts it again.
pub fn run(config: Config) -> anyhow::Result<()> {
    // Whatever is made from here on is the Kernel's alone, SQLite's own files too.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    allow_connections();
    tokio::runtime::Builder::new_multi_thread()
        // Batches have a number of their own; the rest are short.
        .max_blocking_threads(config.limits.batches + 16)
        .enable_all()
        .build()
        .context("no threads to run on")?
        .block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let doors = Doors::bind(&config)?;
    let plane = Arc::new(open::open(config, Arc::new(SystemClock)).await?);
    let mut stops = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let (stop, stopped) = watch::channel(false);

    let Serving { mut doors, identity } = Serving::begin(doors, &plane, stopped)?;
    tracing::info!(
        listen = %plane.config.listen,
        admin_listen = %plane.config.admin_listen,
        receipt_key = %plane.receipt_key(),
        "the Kernel serves"
    );
    notify(&[sd_notify::NotifyState::Ready]);

    let mut tick = tokio::time::interval(TICK);
    let mut ticking = tokio::spawn(async {});
    let mut check = tokio::time::interval(IDENTITY_CHECK);
    let watchdog = sd_notify::watchdog_enabled();
    let mut pat = tokio::time::interval(watchdog.map_or(IDENTITY_CHECK, |period| period / 3));
    let ended = loop {
        tokio::select! {
            () = any(&mut stops) => break Ok(()),
            error = ended_unasked(&mut doors) => break Err(error),
            _ = tick.tick() => {
                // Not waited for here: a disk that stands still must not keep a signal waiting.
                if ticking.is_finished() {
                    let plane = Arc::clone(&plane);
                    ticking = tokio::spawn(async move { control::tick(&plane).await });
                }
            }
            _ = check.tick() => refresh(&plane, &identity),
            _ = pat.tick() => notify(&[sd_notify::NotifyState::Watchdog]),
        }
    };

    tracing::info!("the Kernel stops");
    notify(&[sd_notify::NotifyState::Stopping]);
    stop.send_replace(true);
    while doors.join_next().await.is_some() {}
    let _ = ticking.await;
    control::settle(&plane).await;
    // The storage's writer ends with the last of its callers.
    ended
}

/// Waits for what must not be: that a door is served no more although nobody said so. A Kernel that
/// lives and is deaf would be started again by nobody.
async fn ended_unasked(doors: &mut JoinSet<()>) -> anyhow::Error {
    match doors.join_next().await {
        Some(Ok(())) => anyhow::anyhow!("a door is served no more"),
        Some(Err(error)) => anyhow::Error::new(error).context("a door is served no more"),
        None => pending().await,
    }
}

/// The doors while they are served.
pub struct Serving {
    /// One task a door, each ending once its calls have.
    pub doors: JoinSet<()>,
    /// The certificate at both.
    pub identity: Arc<ServerIdentity>,
}

impl Serving {
    /// Serves bound doors until `stopped` says so.
    ///
    /// # Errors
    /// What keeps TLS from being spoken.
    pub fn begin(
        doors: Doors,
        plane: &Arc<ControlPlane>,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let config = &plane.config;
        let identity = Arc::new(ServerIdentity::load_or_make(
            &config.data_dir,
            &plane.authority,
            &config.host_names,
            plane.now(),
        )?);
        let (calls, admin) = doors.speak(plane, &identity)?;
        let limits = Limits {
            connections: config.limits.connections,
            admin_connections: config.limits.admin_connections,
            // An agent calls once a poll: its connection is kept that long where there is room.
            idle_time: Limits::STANDARD.idle_time + Duration::from_secs(60),
            ..Limits::STANDARD
        };
        let mut tasks = JoinSet::new();
        let slots = Slots::new(limits.connections);
        let answers = call_routes(plane, &limits);
        tasks.spawn(farhold_api::serve(calls, answers, slots, limits, told(stopped.clone())));
        let slots = Slots::new(limits.admin_connections);
        let answers = admin_routes(plane);
        tasks.spawn(farhold_api::serve(admin, answers, slots, limits, told(stopped)));
        Ok(Self { doors: tasks, identity })
    }
}

/// Everything answered at the door for agents and runtimes; no admin route is among it.
pub fn call_routes(plane: &Arc<ControlPlane>, limits: &Limits) -> Router {
    let routes = control::calls(plane, limits)
        .merge(agents::routes(Arc::clone(plane)))
        .merge(intake::routes(Arc::clone(plane)))
        .merge(probes::routes(Arc::clone(plane)));
    farhold_api::refusing_the_rest(routes)
}

/// Everything answered at the administrator's door.
pub fn admin_routes(plane: &Arc<ControlPlane>) -> Router {
    let routes = admin::routes(Arc::clone(plane)).merge(probes::routes(Arc::clone(plane)));
    farhold_api::refusing_the_rest(routes)
}

fn refresh(plane: &ControlPlane, identity: &ServerIdentity) {
    let config = &plane.config;
    let names = &config.host_names;
    let refreshed = identity.refresh(&config.data_dir, &plane.authority, names, plane.now());
    if let Err(error) = refreshed {
        tracing::error!(
            error = %crate::error_chain(&error),
            "the server certificate could not be made again; the one before stays in use"
        );
    }
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // Whoever would tell is gone: that is an end, too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn any(stops: &mut [Signal; 2]) {
    let [terminate, interrupt] = stops;
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Outside a service manager there is nobody to tell.
    let _ = sd_notify::notify(states);
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_door_that_panics_is_told_and_doors_that_are_served_are_not() {
        let mut doors = JoinSet::new();
        doors.spawn(pending());
        assert!(timeout(Duration::ZERO, ended_unasked(&mut doors)).await.is_err());
        doors.spawn(async { panic!("as a defect would") });
        let told = format!("{:#}", ended_unasked(&mut doors).await);
        assert!(
            told.starts_with("a door is served no more: ") && told.contains("panicked"),
            "{told}"
        );
    }
}
