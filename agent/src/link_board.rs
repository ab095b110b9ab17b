//! The board: how the link is, written by the uplink's tasks and read by everybody else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;

use farhold_bundle::payload::SiteMode;
use farhold_contract::{Code, Timestamp};
use farhold_policy::Link;

/// How the link is, as one immutable view.
#[derive(Default)]
pub struct LinkBoard {
    view: ArcSwap<LinkView>,
    /// In milliseconds since boot; 0: the Kernel was never heard.
    online_until_ms: AtomicU64,
}

/// How the link is. At a detached site nothing is ever written here.
#[derive(Debug, Clone, Default)]
pub struct LinkView {
    /// The Kernel refuses this agent, again and again.
    pub auth_rejected: bool,
    /// When the Kernel last accepted a heartbeat.
    pub heard_at: Option<Timestamp>,
    /// How far the system clock was from the Kernel's then, in milliseconds; positive: ahead.
    pub skew_ms: i64,
    /// Why the Kernel can't be reached, as long as it can't.
    pub failing: Option<Failing>,
    /// A proxy opens the connection: whose certificate was seen.
    pub intercepted: Option<String>,
    /// When the agent's certificate begins and ends.
    pub certificate: Option<CertificateLife>,
    /// When a bundle was last pulled, or found to be the one at hand.
    pub pulled_at: Option<Timestamp>,
    /// When a batch was last receipted.
    pub pushed_at: Option<Timestamp>,
    /// Time without a fresh answer, in this run of the agent.
    pub offline: Duration,
}

/// Why the Kernel can't be reached.
#[derive(Debug, Clone)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// The code.
    pub code: Code,
    /// What happened, and what to do.
    pub told: String,
}

/// From when to when a certificate holds.
#[derive(Debug, Clone, Copy)]
pub struct CertificateLife {
    /// Its beginning.
    pub begins: Timestamp,
    /// Its end.
    pub ends: Timestamp,
}

impl LinkBoard {
    /// The present view.
    pub fn view(&self) -> Arc<LinkView> {
        self.view.load_full()
    }

    /// Whether the Kernel's last answer is fresh at this time since boot: asked by every check, it
    /// costs one load.
    pub fn is_online(&self, boottime_ms: u64) -> bool {
        boottime_ms < self.online_until_ms.load(Ordering::Relaxed)
    }

    /// How a site of this mode is linked at this time since boot.
    pub fn link(&self, mode: Option<SiteMode>, boottime_ms: u64) -> Link {
        match mode {
            Some(SiteMode::Detached) | None => Link::Detached,
            Some(SiteMode::Managed) if self.is_online(boottime_ms) => Link::Online,
            Some(SiteMode::Managed) => Link::Offline,
        }
    }

    /// The Kernel was heard: until when its answer is fresh, in milliseconds since boot.
    pub fn online_until(&self, boottime_ms: u64) {
        self.online_until_ms.store(boottime_ms, Ordering::Relaxed);
    }

    /// Changes the view.
    pub fn update(&self, change: impl Fn(&mut LinkView)) {
        self.view.rcu(|view| {
            let mut next = LinkView::clone(view);
            change(&mut next);
            next
        });
    }
}
