//! Paper: one license, as a template or signed, with its name for people.

use jiff::Zoned;

use farhold_bundle::{LineKey, Positive, payload::License};
use farhold_contract::Timestamp;

use crate::refusal::Refusal;

/// One license that is looked at.
pub struct Paper {
    /// The file, and the line in it where it has several.
    pub name: String,
    /// What it says; of a template, what it would say if it were issued now.
    pub license: License,
    /// Whether it is signed; a template has no serial yet.
    pub is_signed: bool,
    /// Why the root given does not vouch for it.
    pub refusal: Option<Refusal>,
}

impl Paper {
    /// Its serial; a template has none.
    pub(super) fn serial(&self) -> Option<Positive> {
        self.is_signed.then_some(self.license.serial)
    }

    /// The line it belongs to.
    pub(super) fn line(&self) -> LineKey {
        LineKey::of(&self.license)
    }

    /// An instant on the calendar by which its days end.
    pub(super) fn local(&self, at: Timestamp) -> Zoned {
        jiff::Timestamp::from(at).to_zoned(self.license.end_zone())
    }

    /// The first instant at which less works than before: the end of its grace.
    pub(super) fn grace_ends(&self) -> Option<Timestamp> {
        let end = self.license.end()?;
        let grace = self.license.ladder.grace.as_ref();
        Some(grace.map_or(end, |grace| grace.after(end, &self.license.end_zone())))
    }

    /// Whether something follows its end before all stops.
    pub(super) fn has_rungs(&self) -> bool {
        self.license.ladder.grace.is_some() || self.license.ladder.restrict.is_some()
    }
}
