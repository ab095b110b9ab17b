//! Shares: how much of the queue's free part one caller may take, so that a runaway product blocks
//! itself and nobody else.

use std::collections::BTreeMap;

use farhold_contract::id::{RuntimeId, TenantId};

/// What a runtime may take of the free part, in percent.
const RUNTIME_PERCENT: u64 = 25;

/// What callers have taken since the last receipt, in bytes, of what was free then.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    /// The last record that was receipted then; none before the first count.
    since: Option<u64>,
    free_bytes: u64,
    runtimes: BTreeMap<RuntimeId, u64>,
    tenants: BTreeMap<TenantId, u64>,
}

/// What one call takes.
#[derive(Debug, Clone, Copy)]
pub struct Taking {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// How much, in bytes.
    pub bytes: u64,
}

impl Shares {
    /// Nobody has taken anything of this much since this record was receipted.
    pub fn since(acknowledged_seq: u64, free_bytes: u64) -> Self {
        Self { since: Some(acknowledged_seq), free_bytes, ..Self::default() }
    }

    /// Whether a receipt has come since the count began.
    pub fn are_outdated(&self, acknowledged_seq: u64) -> bool {
        self.since != Some(acknowledged_seq)
    }

    /// Whether a caller stays within its shares: a quarter for a runtime, an equal part for each
    /// of the site's tenants. `pending` is what others take in the same moment.
    pub fn has_room(&self, asked: &Taking, pending: &[Taking], tenants: usize) -> bool {
        let taken = |known: Option<&u64>, is_theirs: &dyn Fn(&Taking) -> bool| {
            let pending = pending.iter().filter(|other| is_theirs(other));
            known.copied().unwrap_or(0) + pending.map(|other| other.bytes).sum::<u64>()
        };
        let runtime = taken(self.runtimes.get(&asked.runtime_id), &|other| {
            other.runtime_id == asked.runtime_id
        });
        let tenant =
            taken(self.tenants.get(&asked.tenant_id), &|other| other.tenant_id == asked.tenant_id);
        // The only tenant of a site has nobody to leave anything to.
        let of_tenant = if tenants < 2 { u64::MAX } else { self.free_bytes / tenants as u64 };
        runtime + asked.bytes <= self.free_bytes / 100 * RUNTIME_PERCENT
            && tenant + asked.bytes <= of_tenant
    }

    /// What is free now and what callers have taken since is what was free: pruning adds to it.
    pub fn has_free(&mut self, now_bytes: u64) {
        let taken: u64 = self.tenants.values().sum();
        self.free_bytes = self.free_bytes.max(now_bytes + taken);
    }

    /// Counts what was kept.
    pub fn take(&mut self, taken: &[Taking]) {
        for Taking { tenant_id, runtime_id, bytes } in taken {
            *self.runtimes.entry(*runtime_id).or_default() += bytes;
            *self.tenants.entry(*tenant_id).or_default() += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNTIMES: [&str; 2] =
        ["01939b6e-3c5f-7a31-8b53-0f6f1c2d3e11", "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e12"];
    const TENANTS: [&str; 2] =
        ["01939b6e-3c5f-7a31-8b53-0f6f1c2d3e01", "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e02"];

    fn taking(tenant: usize, runtime: usize, bytes: u64) -> Taking {
        Taking {
            tenant_id: TENANTS[tenant].parse().unwrap(),
            runtime_id: RUNTIMES[runtime].parse().unwrap(),
            bytes,
        }
    }

    #[test]
    fn a_runtime_may_take_a_quarter_and_another_still_has_its_own() {
        let mut shares = Shares::since(0, 1_000);
        shares.take(&[taking(0, 0, 200)]);
        assert!(shares.has_room(&taking(0, 0, 50), &[], 1));
        assert!(!shares.has_room(&taking(0, 0, 51), &[], 1));
        assert!(!shares.has_room(&taking(0, 0, 50), &[taking(0, 0, 1)], 1), "in the same moment");
        assert!(shares.has_room(&taking(0, 1, 250), &[], 1));
    }

    #[test]
    fn a_tenant_may_take_its_part_and_leaves_the_others_theirs() {
        let mut shares = Shares::since(0, 1_000);
        shares.take(&[taking(0, 0, 150)]);
        assert!(!shares.has_room(&taking(0, 1, 200), &[], 3), "a third is 333");
        assert!(shares.has_room(&taking(1, 1, 200), &[], 3));
    }
}
