//! Draft of a root: what the next root must be, and whom it asks.

use farhold_bundle::{Envelope, TrustRoot, payload::Root};

use super::change::require_follows;
use crate::{
    draft::{self, Drafted},
    refusal::Refusal,
};

/// A next root that is not signed by everyone yet.
pub type Draft = draft::Draft<Root>;

impl Drafted for Root {
    type Signed = TrustRoot;

    fn asked<'a>(&'a self, before: &'a TrustRoot) -> (Option<&'a Root>, &'a Root) {
        (Some(before.root().content()), self)
    }

    fn require_fits(&self, before: &TrustRoot) -> Result<(), Refusal> {
        require_follows(self, before)
    }

    fn verify(envelope: Envelope, before: &TrustRoot) -> Result<TrustRoot, Refusal> {
        let next = before.step(envelope)?;
        // A new site installs it as its first.
        TrustRoot::install(next.root().line(), Some(next.root().sha256()))?;
        Ok(next)
    }
}
