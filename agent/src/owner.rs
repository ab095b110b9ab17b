//! The owner: one thread that has the store, groups what callers ask, and answers after the commit.
//!
//! Usage truth lives here: a consumption is evaluated inside the group that commits it. Callers
//! share one sync; what a group stages becomes real with its commit, or the whole group is told
//! that nothing was kept.

mod append;
mod consume;
mod deny;
mod group;
mod import;
mod link;
mod machine;
mod register;
mod request;
mod tick;
mod tokens;
mod trust;
mod work;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use tokio::{runtime::Handle, sync::watch};

use farhold_api::Refusal;
use farhold_contract::{Code, exit::Exit};

use crate::{clock::Clock, metrics::Metrics, site::Site, snapshot::Snapshot};

pub use append::{AppendEvents, AppendOwn};
pub use consume::Consume;
pub use deny::Deny;
pub use group::Group;
pub use import::{Applied, ApplyImport};
pub use link::{HeedAnswer, TakeReceipt};
pub use machine::{look_again, look_for_changes};
pub use register::Register;
pub use request::{MakeRequest, RequestMade};
pub use tick::tick;
pub use tokens::{CreateToken, RevokeToken};
pub use trust::InstallTrust;
pub use work::Operation;

use group::Commons;
use work::{Job, Work};

/// What requests hold of the owner.
#[derive(Clone)]
pub struct Owner {
    queue: Sender<Box<dyn Work>>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    pulse: Arc<Pulse>,
    news: Arc<News>,
}

/// Whether the owner's thread turns.
#[derive(Default)]
struct Pulse {
    /// Since when the present group is at work, in milliseconds since boot; 0 between groups.
    busy_since_ms: AtomicU64,
}

/// What became real, for those who wait for it.
#[derive(Default)]
struct News {
    appended: watch::Sender<u64>,
    registered: watch::Sender<()>,
}

/// Most callers waiting; beyond it they are told to come back.
const QUEUE_MAX: usize = 8_192;
/// Most operations in one group: bounds how long the first waits for the last.
const GROUP_MAX: usize = 1_024;
/// After a group of more than this, the owner may give its callers a moment to return.
const GROUP_LARGE: usize = 8;
/// Below this a sync is cheaper than the moment: callers then overlap with the commit instead.
const SYNC_SLOW: Duration = Duration::from_millis(1);

impl Owner {
    /// Starts the owner of a site's store, from what was found in it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        site: Site,
        found: Snapshot,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, waiting) = crossbeam_channel::bounded(QUEUE_MAX);
        let snapshot = Arc::new(ArcSwap::from_pointee(found));
        let pulse = Arc::new(Pulse::default());
        let news = Arc::new(News::default());
        let turn = Turn {
            waiting,
            site,
            commons: Commons {
                clock,
                metrics,
                snapshot: Arc::clone(&snapshot),
                news: Arc::clone(&news),
            },
            pulse: Arc::clone(&pulse),
            average_sync: Duration::ZERO,
            runtime: Handle::try_current().ok(),
            failing: false,
        };
        let thread =
            std::thread::Builder::new().name("owner".to_owned()).spawn(move || run_or_end(turn))?;
        Ok((Self { queue, snapshot, pulse, news }, thread))
    }

    /// The state of the site as of the last commit.
    pub fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Hears of every record appended: the last one.
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.news.appended.subscribe()
    }

    /// Hears when a token or a runtime has changed.
    pub fn registered(&self) -> watch::Receiver<()> {
        self.news.registered.subscribe()
    }

    /// Has an operation done, and answers after its commit.
    ///
    /// # Errors
    /// `server.overloaded` if too many wait; `store.unavailable` if its group could not be kept.
    pub async fn submit<O: Operation>(&self, operation: O) -> Result<O::Answer, Refusal> {
        let (job, answer) = Job::new(operation);
        match self.queue.try_send(Box::new(job)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Refusal::from(Code::ServerOverloaded).after(Duration::from_secs(1)));
            }
            Err(TrySendError::Disconnected(_)) => return Err(Code::StoreUnavailable.into()),
        }
        answer.await.unwrap_or_else(|_| Err(Code::StoreUnavailable.into()))
    }

    /// Whether the thread turns: idle, or at one group for less than `most`.
    pub fn turns(&self, boottime_ms: u64, most: Duration) -> bool {
        let since = self.pulse.busy_since_ms.load(Ordering::Relaxed);
        since == 0
            || boottime_ms.saturating_sub(since)
                < u64::try_from(most.as_millis()).unwrap_or(u64::MAX)
    }
}

/// An agent without its owner can only refuse: better to end and be started again.
fn run_or_end(turn: Turn) {
    if catch_unwind(AssertUnwindSafe(|| turn.run())).is_err() {
        tracing::error!("the owner of the database panicked; the agent ends");
        std::process::exit(i32::from(Exit::Internal.code()));
    }
}

/// The thread's own state.
struct Turn {
    waiting: Receiver<Box<dyn Work>>,
    site: Site,
    commons: Commons,
    pulse: Arc<Pulse>,
    average_sync: Duration,
    /// Where callers wait; none for a verb that works without a running agent.
    runtime: Option<Handle>,
    failing: bool,
}

impl Turn {
    /// Turns until every [`Owner`] is gone.
    fn run(mut self) {
        let mut last_group = 0;
        while let Ok(first) = self.waiting.recv() {
            let mut works = vec![first];
            if last_group > GROUP_LARGE && self.average_sync > SYNC_SLOW {
                // Natural batching settles at half the callers: those just answered come right back.
                self.collect_until(&mut works, last_group, Instant::now() + self.average_sync);
            }
            while works.len() < GROUP_MAX
                && let Ok(work) = self.waiting.try_recv()
            {
                works.push(work);
            }
            last_group = works.len();
            self.turn(works);
        }
    }

    fn collect_until(&self, works: &mut Vec<Box<dyn Work>>, most: usize, deadline: Instant) {
        while works.len() < most
            && let Ok(work) = self.waiting.recv_deadline(deadline)
        {
            works.push(work);
        }
    }

    fn turn(&mut self, mut works: Vec<Box<dyn Work>>) {
        let reading = self.commons.clock.read();
        self.pulse.busy_since_ms.store(reading.boottime_ms.max(1), Ordering::Relaxed);
        let kept = group::run(&mut self.site, &self.commons, &reading, &mut works);
        self.pulse.busy_since_ms.store(0, Ordering::Relaxed);
        if let Ok(sync) = &kept {
            self.average_sync = (self.average_sync * 7 + *sync) / 8;
        }
        match &kept {
            Ok(_) if self.failing => {
                self.failing = false;
                tracing::info!("the database accepts changes again");
            }
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::error!(
                    error = %crate::error_chain(error),
                    "the database refuses changes; nothing new is acknowledged until it recovers"
                );
            }
            _ => {}
        }
        self.settle(works, kept.is_ok());
    }

    /// Tells every caller. Many are woken from inside the runtime, where waking is cheap, and the
    /// next group begins meanwhile.
    fn settle(&self, works: Vec<Box<dyn Work>>, kept: bool) {
        let tell = move || works.into_iter().for_each(|work| work.settle(kept));
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async move { tell() })),
            None => tell(),
        }
    }
}
