//! Counter: what has been used of a quota, and where that is kept.

use std::{fmt, sync::Arc};

use farhold_contract::{
    Timestamp,
    call::check::Usage,
    id::{LicenseId, TenantId},
};

use crate::window::Window;

/// Which counter a use counts in (`bundle.md` §4): never another tenant's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey {
    /// The organization.
    pub tenant_id: TenantId,
    /// What is counted.
    pub feature: Arc<str>,
    /// How long the count lives.
    pub scope: CounterScope,
}

/// How long a count lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterScope {
    /// As long as the contract: across its serials, and no longer.
    Lifetime(LicenseId),
    /// As long as a window: across the licenses of a product.
    Window {
        /// The product.
        product: Arc<str>,
        /// The window's length, as the license writes it.
        window: Arc<str>,
    },
}

/// What a counter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// The beginning of the window it counts in; absent: for the license's life.
    pub window_start: Option<Timestamp>,
    /// Units used.
    pub used: u64,
}

/// A quota, as it stands at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Metered {
    /// The counter it is weighed against.
    pub key: CounterKey,
    /// Units the license gives.
    pub quota: u64,
    /// Units above the quota that are still given.
    pub overage: u64,
    /// The window that is open now, to the beginning of the next; absent: for the license's life.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Whether the quota will begin anew: not without a window, and not in the restricted phase.
    pub renews: bool,
    pub(crate) window: Option<Arc<Window>>,
}

impl CounterKey {
    /// The key as stores keep it: the same in every version, and another for every other key.
    pub fn to_key_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of products, features and windows never contain a bar.
        let Self { tenant_id, feature, scope } = self;
        match scope {
            CounterScope::Lifetime(license_id) => {
                write!(f, "life|{tenant_id}|{license_id}|{feature}")
            }
            CounterScope::Window { product, window } => {
                write!(f, "window|{tenant_id}|{product}|{window}|{feature}")
            }
        }
    }
}

impl Metered {
    /// The counter of the window that is open, whatever was stored before.
    ///
    /// A stored window that begins after the present one stays open: windows only move forward,
    /// so a clock set back and forth opens none twice.
    pub fn open(&self, stored: Option<Counter>) -> Counter {
        let Some((start, _)) = self.span else {
            return Counter { window_start: None, used: stored.map_or(0, |counter| counter.used) };
        };
        stored
            .filter(|counter| counter.window_start.is_some_and(|stored| stored >= start))
            .unwrap_or(Counter { window_start: Some(start), used: 0 })
    }

    /// Units left after `used`, counting the overage.
    pub fn remaining(&self, used: u64) -> u64 {
        self.quota.saturating_add(self.overage).saturating_sub(used)
    }

    /// What to show of an open counter.
    pub fn usage(&self, open: Counter) -> Usage {
        let resets_at = if self.renews { self.end_of(open) } else { None };
        Usage { used: open.used, remaining: self.remaining(open.used), resets_at }
    }

    /// The end of the window that a counter counts in.
    fn end_of(&self, open: Counter) -> Option<Timestamp> {
        let (_, end) = self.span?;
        match open.window_start {
            // It stayed open although the present window is an earlier one.
            Some(start) if start >= end => self.window.as_ref().map(|w| w.span_at(start).1),
            _ => Some(end),
        }
    }
}
