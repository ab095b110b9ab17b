//! Freshness: how current is what the site knows of its Kernel (contract v0.2 §5).

use std::time::Duration;

use crate::moment::Moment;

/// How the link to the Kernel stands. Whichever it is, the last good bundle is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// A heartbeat was accepted within 3 × `poll_after`.
    Online,
    /// None was.
    Offline,
    /// The Kernel answers, and refuses this agent.
    AuthRejected,
}

/// The link changed: worth one line in the log, as no attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkChange {
    /// How it stood.
    pub from: Link,
    /// How it stands.
    pub to: Link,
    /// How long it stood as before.
    pub after: Duration,
}

/// The state of the link, and how long it was lost in total.
#[derive(Debug, Clone)]
pub struct Freshness {
    online_until: Moment,
    rejected: bool,
    link: Link,
    since: Moment,
    lost_since: Option<Moment>,
    lost_before: Duration,
    change: Option<LinkChange>,
}

impl Freshness {
    /// At the start of a run. `heard` is when a heartbeat was last accepted, if that was in this
    /// boot; `None` begins offline.
    pub fn new(heard: Option<Moment>, poll_after: Duration, now: Moment) -> Self {
        let online_until =
            heard.map_or(Moment::BOOT, |heard| heard.min(now) + poll_after.saturating_mul(3));
        let online = now < online_until;
        Self {
            online_until,
            rejected: false,
            link: if online { Link::Online } else { Link::Offline },
            since: now,
            lost_since: (!online).then_some(now),
            lost_before: Duration::ZERO,
            change: None,
        }
    }

    /// A heartbeat was accepted, and the next is due after `poll_after`.
    pub fn handle_accepted(&mut self, poll_after: Duration, now: Moment) {
        self.settle(now);
        if let Some(since) = self.lost_since.take() {
            self.lost_before += now.saturating_since(since);
        }
        self.online_until = now + poll_after.saturating_mul(3);
        self.rejected = false;
        self.settle(now);
    }

    /// The Kernel keeps refusing this agent ([`crate::Pace::is_rejected`]); only an accepted
    /// heartbeat takes that back.
    pub fn handle_rejected(&mut self, now: Moment) {
        self.rejected = true;
        self.settle(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.settle(now);
    }

    /// The last change of the link, once.
    pub fn poll_effect(&mut self) -> Option<LinkChange> {
        self.change.take()
    }

    /// When the link is lost if nothing is heard; `None` if it is lost.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.lost_since.is_none().then_some(self.online_until)
    }

    /// How the link stands.
    pub const fn link(&self) -> Link {
        self.link
    }

    /// Whether decisions made now say `offline`: a refused agent is not yet an offline one.
    pub fn is_offline(&self, now: Moment) -> bool {
        now >= self.online_until
    }

    /// How long the site has been offline in this run, all told.
    pub fn offline_total(&self, now: Moment) -> Duration {
        let since = match self.lost_since {
            Some(since) => since,
            None if self.is_offline(now) => self.online_until,
            None => return self.lost_before,
        };
        self.lost_before + now.saturating_since(since)
    }

    fn settle(&mut self, now: Moment) {
        if self.lost_since.is_none() && self.is_offline(now) {
            // To the moment, however late somebody looked: the machine may have slept.
            self.lost_since = Some(self.online_until);
        }
        let to = if self.rejected {
            Link::AuthRejected
        } else if self.is_offline(now) {
            Link::Offline
        } else {
            Link::Online
        };
        if to == self.link {
            return;
        }
        let after = now.saturating_since(self.since);
        self.change = Some(LinkChange { from: self.link, to, after });
        self.link = to;
        self.since = now;
    }
}
