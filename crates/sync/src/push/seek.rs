//! Seek: looking for a receipt behind which the chain is taken up, where what comes before is no
//! longer kept.

use super::effect::Run;

/// A receipt is asked for, once.
#[derive(Debug)]
pub(super) struct Seek {
    /// It confirms this record or a later one.
    pub(super) from: u64,
    /// The batch that met the gap; `None` if pruning came before the next one.
    pub(super) sent: Option<Run>,
    asked: bool,
}

impl Seek {
    pub(super) const fn new(from: u64, sent: Option<Run>) -> Self {
        Self { from, sent, asked: false }
    }

    /// From which record on to look; `None` while it is asked for.
    pub(super) fn ask(&mut self) -> Option<u64> {
        (!std::mem::replace(&mut self.asked, true)).then_some(self.from)
    }
}
