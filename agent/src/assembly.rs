//! Assembly: all that answers at a site, wired together; nothing of it listens yet.

use std::{sync::Arc, thread::JoinHandle};

use anyhow::Context;
use tokio::sync::{Mutex, Notify, Semaphore, watch};

use farhold_sync::Timing;

use crate::{
    admin::Admin,
    clock::{Clock, SystemClock},
    config::{Config, LinkConfig},
    denials::SharedDenials,
    health::Health,
    heartbeats::Heartbeats,
    importer::Importer,
    kernel::{LocalKernel, RESOLVING_MAX},
    link::{Enrollment, LinkSettings, ProxySettings},
    link_board::LinkBoard,
    machine::Machine,
    metrics::Metrics,
    owner::Owner,
    site::Site,
    uplink::{Line, Wiring},
};

/// All that answers at a site.
pub struct Assembly {
    /// For the runtimes' doors.
    pub kernel: Arc<LocalKernel>,
    /// For the admin door.
    pub admin: Arc<Admin>,
    /// The owner's thread: it ends, and gives the state free, with the last of its callers.
    pub owner_thread: JoinHandle<()>,
}

impl Assembly {
    /// Opens the site on the machine this process runs on, by its clocks.
    ///
    /// # Errors
    /// As [`Assembly::new`].
    pub fn of_system(config: &Config) -> anyhow::Result<Self> {
        Self::new(config, Machine::of_system(config), Arc::new(SystemClock::new()))
    }

    /// Opens the site that a configuration names.
    ///
    /// # Errors
    /// Whatever keeps the site from being opened, [`crate::site::SiteError`] above all.
    pub fn new(config: &Config, machine: Machine, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let (site, found) = Site::open(config, &machine, &clock.read())?;
        let place = Arc::clone(&site.place);
        let metrics = Metrics::new();
        let (owner, owner_thread) =
            Owner::start(site, found, Arc::clone(&clock), Arc::clone(&metrics))
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
            imported: watch::Sender::default(),
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
            denials: Arc::new(SharedDenials::default()),
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
        Ok(Self { kernel, admin, owner_thread })
    }
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
