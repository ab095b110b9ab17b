//! Answer: what a batch came to, once its receipt was looked at.

use farhold_contract::call::batch::HeldHead;

use crate::verdict::Verdict;

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushAnswer {
    /// The receipt holds, speaks of this agent's history, and is committed.
    Accepted {
        /// The last record that it confirms.
        to: u64,
    },
    /// The receipt speaks of another history.
    Branched {
        /// The record that it names.
        seq: u64,
    },
    /// [`Verdict::Gap`], with the heads that the problem lists.
    Gap {
        /// The heads that the Kernel holds.
        heads: Vec<HeldHead>,
    },
    /// Anything else.
    Failed(Verdict),
}
