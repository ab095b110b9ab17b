//! The running agent: bind first, serve late, READY last.

use std::{sync::Arc, thread::JoinHandle, time::Duration};

use anyhow::Context;
use axum::Router;
use serde_json::json;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Mutex, Notify, Semaphore, watch},
    task::JoinSet,
};

use farhold_api::{CheckFirst, Limits, Slots};
use farhold_audit::OwnKind;
use farhold_contract::condition::ConditionCode;
use farhold_sync::Timing;

use crate::{
    admin::{self, Admin},
    bundle_route,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError, LinkConfig},
    denials::Denials,
    doors::Doors,
    health::Health,
    heartbeats::Heartbeats,
    importer::Importer,
    kernel::{LocalKernel, RESOLVING_MAX},
    link::{Enrollment, LinkSettings, ProxySettings},
    link_board::LinkBoard,
    metrics::Metrics,
    own_event::Draft,
    owner::{AppendOwn, Owner, Tick},
    probes,
    site::{Site, SiteError},
    uplink::{self, Line, Wiring},
};

/// How often the mark is written and repeats of refusals are told.
const TICK: Duration = Duration::from_secs(30);

/// Everything that answers, wired together.
struct Assembly {
    kernel: Arc<LocalKernel>,
    admin: Arc<Admin>,
    owner_thread: JoinHandle<()>,
}

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
            let mut assembly = assemble(&config)?;
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
    let assembly = assemble(config)?;
    Ok(admin::routes(Arc::clone(&assembly.admin)).merge(probes::routes(assembly.admin)))
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
        match assemble(config) {
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

    let mut tick = tokio::time::interval(TICK);
    let mut beating = tokio::spawn(async {});
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
    while serving.join_next().await.is_some() {}
    if let Some(linking) = &mut linking {
        while linking.join_next().await.is_some() {}
    }
    let _ = beating.await;
    beat(&kernel, true).await;
    tell(&admin, OwnKind::Stopped, json!({})).await;
    drop((kernel, admin));
    // The owner's thread ends with the last of its callers.
    let _ = tokio::task::spawn_blocking(move || owner_thread.join()).await;
    Ok(ended)
}

fn assemble(config: &Config) -> anyhow::Result<Assembly> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (site, found) = Site::open(config, &clock.read())?;
    let place = Arc::clone(&site.place);
    let metrics = Metrics::new();
    let (owner, owner_thread) = Owner::start(site, found, Arc::clone(&clock), Arc::clone(&metrics))
        .context("no thread for the database")?;
    let board = Arc::<LinkBoard>::default();
    let health = Arc::new(Health::new(
        Arc::clone(&place),
        owner.clone(),
        Arc::clone(&clock),
        Arc::clone(&board),
    ));
    let importer = Arc::new(Importer {
        owner: owner.clone(),
        place: Arc::clone(&place),
        clock: Arc::clone(&clock),
        health: Arc::clone(&health),
        turn: Mutex::new(()),
    });
    let heartbeats = Arc::<Heartbeats>::default();
    let settings = link_settings(config);
    let line = place.enrollment.clone().and_then(|enrollment| {
        let wiring = Wiring {
            owner: owner.clone(),
            place: Arc::clone(&place),
            clock: Arc::clone(&clock),
            health: Arc::clone(&health),
            importer: Arc::clone(&importer),
            heartbeats: Arc::clone(&heartbeats),
            board: Arc::clone(&board),
            settings: settings.clone(),
            timing: timing(config),
        };
        linked(wiring, enrollment)
    });
    let kernel = Arc::new(LocalKernel {
        owner: owner.clone(),
        place: Arc::clone(&place),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        denials: Arc::new(Denials::default()),
        heartbeats,
        board: Arc::clone(&board),
        line,
        resolving: Semaphore::new(RESOLVING_MAX),
    });
    let admin = Arc::new(Admin {
        owner,
        place,
        clock,
        health,
        metrics,
        importer,
        board,
        link: settings,
        reopen: Notify::new(),
    });
    Ok(Assembly { kernel, admin, owner_thread })
}

/// The way to the Kernel, as configuration and environment say.
fn link_settings(config: &Config) -> LinkSettings {
    let LinkConfig { proxy, no_proxy, proxy_user, proxy_password_file, .. } = config.link.clone();
    let written = ProxySettings {
        url: proxy,
        no_proxy,
        user: proxy_user,
        password_file: proxy_password_file,
    };
    LinkSettings::new(written.or_environment(|name| std::env::var(name).ok()))
}

fn timing(config: &Config) -> Timing {
    let reconnect_spread = config.link.reconnect_spread;
    let default = Timing::default();
    // A site that wants to be back at once begins at once, too.
    let start_spread = default.start_spread.min(reconnect_spread);
    Timing { reconnect_spread, start_spread, ..default }
}

/// The line to the Kernel. A standing that can't be used cuts nobody off.
fn linked(wiring: Wiring, enrollment: Enrollment) -> Option<Arc<Line>> {
    match Line::new(wiring, enrollment) {
        Ok(line) => Some(Arc::new(line)),
        Err(error) => {
            let reason = crate::error_chain(&error).to_string();
            tracing::error!(%reason, action = error.action(), "there is no link; products are served from what is verified");
            None
        }
    }
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

fn told(stopped: &watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let mut stopped = stopped.clone();
    async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    }
}

async fn beat(kernel: &LocalKernel, last: bool) {
    let tick = Tick {
        denials: Arc::clone(&kernel.denials),
        heartbeats: kernel.heartbeats.unwritten(),
        last,
    };
    // The owner says so itself when nothing can be written.
    let _ = kernel.owner.submit(tick).await;
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
