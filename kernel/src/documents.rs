//! Documents: the vendor's word as it stands at the Kernel, indexed for every use of it.

use farhold_bundle::Standing;
use farhold_policy::PolicyState;

use crate::agents::bundle::BundleCache;

/// The documents that stand; a snapshot never changes.
pub struct Documents {
    /// Every root, the revocations, every license.
    pub standing: Standing,
    /// The same, ready to answer a check.
    pub policy: PolicyState,
    /// The bundles made of them, each made once.
    pub(crate) bundles: BundleCache,
}

impl Documents {
    /// Indexes what stands.
    pub fn new(standing: Standing) -> Self {
        let policy = PolicyState::new(standing.licenses(), standing.revocations());
        let bundles = BundleCache::new(&standing);
        Self { standing, policy, bundles }
    }
}
