//! The running agent: bind first, serve late, READY last.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use serde_json::json;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinSet,
};

use farhold_api::{CheckFirst, Limits, Slots};
use farhold_audit::OwnKind;
use farhold_contract::condition::ConditionCode;

use crate::{
    admin::{self, Admin},
    assembly::Assembly,
    bundle_route,
    config::{Config, ConfigError},
    doors::Doors,
    drop_folder,
    health::Health,
    kernel::LocalKernel,
    own_event::Draft,
    owner::{AppendOwn, look_for_changes, tick},
    probes,
    site::SiteError,
    uplink,
};

/// How often the mark is written and repeats of refusals are told.
const TICK: Duration = Duration::from_secs(30);
/// How often the machine is looked at: a few dozen small files.
const LOOK: Duration = Duration::from_secs(5 * 60);

/// Runs the agent until it is told to stop. `reload` reads the configuration again.
///
/// # Errors
/// Whatever keeps it from serving; after READY, nothing does.
pub fn run(
    config: Config,
    reload: impl Fn() -> Result<Config, ConfigError> + Send + 'static,
) -> anyhow::Result<()> {
    // Two workers serve a site; more would only cost memory there.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .context("no threads to run on")?
        .block_on(async {
            // Once for all of it: a signal between an end and the next beginning is not lost.
            let mut signals = Signals::catch()?;
            let mut assembly = Assembly::of_system(&config)?;
            while serve(&config, assembly, &mut signals, &reload).await? == Ended::ToBeginAnew {
                tracing::info!("the site has changed: the agent begins anew");
                assembly = assemble_again(&config).await?;
            }
            Ok(())
        })
}

/// Why serving ended.
#[derive(PartialEq, Eq)]
enum Ended {
    /// The agent was told to stop.
    Stopped,
    /// What never changes while it serves has changed: it was enrolled.
    ToBeginAnew,
}

/// The admin router without a running agent: the verb owns the site for as long as it lives.
///
/// # Errors
/// Whatever keeps the site from being opened; `state.locked` if an agent runs.
pub fn standalone(config: &Config) -> anyhow::Result<Router> {
    let Assembly { admin, .. } = Assembly::of_system(config)?;
    Ok(admin::routes(Arc::clone(&admin)).merge(probes::routes(admin)))
}

/// What the agent is told from outside.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// The site, once whoever still reads it for the serving that ended has let go of it.
async fn assemble_again(config: &Config) -> anyhow::Result<Assembly> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let began = std::time::Instant::now();
    loop {
        match Assembly::of_system(config) {
            Err(error)
                if began.elapsed() < PATIENCE
                    && matches!(error.downcast_ref(), Some(SiteError::Locked { .. })) =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assembled => return assembled,
        }
    }
}

async fn serve(
    config: &Config,
    assembly: Assembly,
    signals: &mut Signals,
    reload: &impl Fn() -> Result<Config, ConfigError>,
) -> anyhow::Result<Ended> {
    // The lock came before the sockets: a second agent must not take the first one's away.
    let Assembly { kernel, admin, owner_thread } = assembly;
    let doors = Doors::bind(config).await?;
    let (stop, stopped) = watch::channel(false);

    let mut serving = open(doors, &kernel, &admin, &stopped);
    tell(&admin, OwnKind::Started, json!({"version": env!("CARGO_PKG_VERSION")})).await;
    if let Some(aside) = &admin.place.moved_aside {
        tell(
            &admin,
            OwnKind::StoreRecovered,
            json!({"kept_as": aside.file_name().map(|name| name.to_string_lossy())}),
        )
        .await;
    }
    tracing::info!(state_dir = %config.state_dir.display(), "the agent serves");
    notify(&[sd_notify::NotifyState::Ready]);
    // Nothing is asked of the network before products are answered.
    let mut linking = kernel.line.as_ref().map(|line| uplink::start(line, &stopped));
    let dropping = config.drop_folder.as_ref().and_then(|folder| dropped(folder, &admin));

    let mut tick = tokio::time::interval(TICK);
    let mut beating = tokio::spawn(async {});
    // The first look was at the opening.
    let mut look = tokio::time::interval_at(tokio::time::Instant::now() + LOOK, LOOK);
    let mut looking = tokio::spawn(async {});
    let watchdog = sd_notify::watchdog_enabled();
    let mut pat = tokio::time::interval(watchdog.map_or(TICK, |period| period / 3));
    let ended = loop {
        tokio::select! {
            _ = signals.terminate.recv() => break Ended::Stopped,
            _ = signals.interrupt.recv() => break Ended::Stopped,
            () = admin.reopen.notified() => break Ended::ToBeginAnew,
            _ = signals.hangup.recv() => reconfigure(config, reload, &admin.health),
            _ = tick.tick() => {
                // Not waited for here: a disk that stands still must not keep a signal waiting.
                if beating.is_finished() {
                    let kernel = Arc::clone(&kernel);
                    beating = tokio::spawn(async move { beat(&kernel, false).await });
                }
            }
            _ = look.tick() => {
                if looking.is_finished() {
                    let kernel = Arc::clone(&kernel);
                    // The owner says so itself when nothing can be written.
                    looking = tokio::spawn(async move {
                        let _ = look_for_changes(&kernel.owner, &kernel.place, &*kernel.clock).await;
                    });
                }
            }
            _ = pat.tick() => if probes::is_alive(&admin) {
                notify(&[sd_notify::NotifyState::Watchdog]);
            },
        }
    };

    if ended == Ended::Stopped {
        tracing::info!("the agent stops");
        notify(&[sd_notify::NotifyState::Stopping]);
    }
    stop.send_replace(true);
    if let Some(dropping) = dropping {
        dropping.stop().await;
    }
    while serving.join_next().await.is_some() {}
    if let Some(linking) = &mut linking {
        while linking.join_next().await.is_some() {}
    }
    let _ = looking.await;
    let _ = beating.await;
    beat(&kernel, true).await;
    tell(&admin, OwnKind::Stopped, json!({})).await;
    drop((kernel, admin));
    // The owner's thread ends with the last of its callers.
    let _ = tokio::task::spawn_blocking(move || owner_thread.join()).await;
    Ok(ended)
}

/// The runtimes' routes; no admin route is among them.
pub fn runtime_routes(kernel: &Arc<LocalKernel>, admin: &Arc<Admin>, limits: &Limits) -> Router {
    let routes = farhold_api::calls(Arc::clone(kernel), limits)
        .merge(bundle_route::routes(Arc::clone(kernel)))
        .merge(probes::routes(Arc::clone(admin)));
    farhold_api::refusing_the_rest(routes)
}

fn open(
    doors: Doors,
    kernel: &Arc<LocalKernel>,
    admin: &Arc<Admin>,
    stopped: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let limits = Limits::STANDARD;
    let runtimes =
        CheckFirst::new(Arc::clone(kernel), &limits, runtime_routes(kernel, admin, &limits));
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

/// Watches the drop folder. Without a thread for it, everything else goes on.
fn dropped(folder: &Path, admin: &Admin) -> Option<drop_folder::Watch> {
    drop_folder::Watch::start(folder.to_owned(), &admin.importer)
        .inspect_err(|error| tracing::error!(%error, "the drop folder can't be watched"))
        .ok()
}

fn told(stopped: &watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let mut stopped = stopped.clone();
    async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    }
}

async fn beat(kernel: &LocalKernel, last: bool) {
    let heartbeats = kernel.heartbeats.unwritten();
    // The owner says so itself when nothing can be written.
    let _ = tick(&kernel.owner, &kernel.denials, heartbeats, last).await;
}

/// Keeps an event about the agent itself, where there is a tenant to keep it for.
async fn tell(admin: &Admin, kind: OwnKind, payload: serde_json::Value) {
    if let Some(tenant_id) = admin.place.own_tenant() {
        let _ = admin.owner.submit(AppendOwn { tenant_id, draft: Draft::new(kind, payload) }).await;
    }
}

/// A bad new file keeps the old configuration, and says so.
fn reconfigure(config: &Config, reload: impl Fn() -> Result<Config, ConfigError>, health: &Health) {
    match reload() {
        Ok(new) if new == *config => health.clear(ConditionCode::ConfigRejected),
        Ok(_) => {
            health.clear(ConditionCode::ConfigRejected);
            tracing::info!("the configuration has changed; it takes effect at the next start");
        }
        Err(error) => {
            let reason = crate::error_chain(&error).to_string();
            tracing::error!(%reason, "the changed configuration is wrong; the one before it stays in use");
            health.raise(ConditionCode::ConfigRejected, reason);
        }
    }
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Outside a service manager there is nobody to tell.
    let _ = sd_notify::notify(states);
}
