//! Reign: the stretch of time in which a serial is the one in force in its line.

use farhold_contract::Timestamp;

use crate::{line::Line, standing_license::StandingLicense};

/// One serial's stretch. Its end is where the next takes over, not its license's own end.
#[derive(Clone, Copy)]
pub(crate) struct Reign<'l> {
    pub(crate) license: &'l StandingLicense,
    pub(crate) from: Timestamp,
    /// Where the next one takes over; absent: nothing does.
    pub(crate) until: Option<Timestamp>,
}

impl Line {
    /// Who will be, is and was in force, in order of time, by the documents that stand.
    pub(crate) fn reigns(&self) -> Vec<Reign<'_>> {
        let mut reigns: Vec<Reign<'_>> = Vec::new();
        for license in self.licenses.iter().filter(|license| license.counts()) {
            let until = reigns.last().map(|higher| higher.from);
            let from = license.timeline.begins;
            // A serial that begins after a higher one is never in force.
            if until.is_none_or(|until| from < until) {
                reigns.push(Reign { license, from, until });
            }
        }
        reigns.reverse();
        reigns
    }

    /// The reigns from the one at an instant on; empty where nothing is in force then.
    pub(crate) fn reigns_from(&self, instant: Timestamp) -> impl Iterator<Item = Reign<'_>> {
        let over = move |reign: &Reign<'_>| reign.until.is_some_and(|until| until <= instant);
        let mut reigns = self.reigns();
        reigns.retain(|reign| !over(reign));
        if reigns.first().is_none_or(|first| first.from > instant) {
            reigns.clear();
        }
        reigns.into_iter()
    }

    /// The signed end of the license in force, or of the last one that follows it without a gap.
    pub(crate) fn covered_until(&self, instant: Timestamp) -> Option<Timestamp> {
        let unbroken = self.reigns_from(instant).find(|reign| !reign.is_followed());
        unbroken.and_then(|reign| reign.license.timeline.ends)
    }
}

impl Reign<'_> {
    /// Whether another serial takes over before its license ends, or just then.
    pub(crate) fn is_followed(&self) -> bool {
        self.is_followed_before(self.license.timeline.ends)
    }

    /// Whether another serial takes over before an end, or just then.
    pub(crate) fn is_followed_before(&self, end: Option<Timestamp>) -> bool {
        self.until.is_some_and(|until| end.is_none_or(|end| until <= end))
    }

    /// Whether it is the one in force at an instant.
    pub(crate) fn holds_at(&self, instant: Timestamp) -> bool {
        self.from <= instant && self.until.is_none_or(|until| instant < until)
    }
}
