//! What the Kernel says: its word and its receipts, kept before they take effect.

use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::{OwnKind, applies};
use farhold_bundle::{PublicKey, Verified, payload::Receipt};
use farhold_contract::{
    Timestamp,
    call::{batch::RefusedRecord, heartbeat::HeartbeatAnswer},
    id::TenantId,
};
use farhold_policy::ClockChange;
use farhold_store::StoreError;

use crate::{kernel_word::KernelWord, own_event::Draft};

use super::{
    group::{Group, told},
    work::Operation,
};

/// Takes in the answer to a heartbeat.
pub struct HeedAnswer {
    /// The answer.
    pub answer: HeartbeatAnswer,
    /// The organizations of the site, the agent's own first.
    pub tenants: Vec<TenantId>,
}

impl Operation for HeedAnswer {
    type Answer = ();
    const DRAWS_ON_RESERVE: bool = true;

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Self { answer, tenants } = self;
        heed_time(group, answer.server_time, tenants.first().copied())?;
        let word = KernelWord::of(&answer, &tenants, group.now.instant);
        if word == *group.word() {
            return Ok(());
        }
        for changed in word.changed_since(group.word()) {
            let standing = &changed.standing;
            let payload = json!({
                "status": standing.status,
                "features_denied": standing.features_denied,
                "server_time": answer.server_time,
            });
            let draft = Draft::new(OwnKind::KernelWord, payload).of_call(changed.runtime_id, "");
            group.append_own(changed.tenant_id, draft)?;
        }
        group.put_word(word)
    }
}

/// The Kernel's time vouches for a wall far ahead and lowers a wild mark (`bundle.md` §5).
fn heed_time(
    group: &mut Group<'_>,
    server_time: Timestamp,
    own: Option<TenantId>,
) -> Result<(), StoreError> {
    let reading = group.reading;
    let change = group.clock_mut().observe(&reading, Some(server_time));
    let draft = match change {
        ClockChange::Lowered { from, to } => {
            Some(Draft::new(OwnKind::ClockLowered, json!({"from": from, "to": to})))
        }
        other => told(other),
    };
    if change != ClockChange::Nothing {
        group.keep_clock();
    }
    if let (Some(draft), Some(tenant_id)) = (draft, own) {
        group.append_own(tenant_id, draft)?;
    }
    Ok(())
}

/// Takes in the receipt for a batch.
///
/// It leaves no event: each would make the next batch, for ever. The receipt itself is kept.
pub struct TakeReceipt {
    /// The receipt, signed by the Kernel.
    pub receipt: Verified<Receipt>,
    /// The agent's key.
    pub device_key: PublicKey,
    /// Records whose content the Kernel refused.
    pub refused: Vec<RefusedRecord>,
}

impl Operation for TakeReceipt {
    /// Whether it covers more than was covered before.
    type Answer = Result<bool, Refusal>;
    const DRAWS_ON_RESERVE: bool = true;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        let before = group.txn.acknowledged_seq();
        let seq = self.receipt.seq.as_u64();
        let kept = group.txn.head_at(seq)?;
        if let Err(refusal) = applies(&self.receipt, &self.device_key, &group.epoch(), kept) {
            // A record pruned after an earlier receipt can't be compared, and needs no other.
            let known = seq <= before && kept.is_none();
            if !known {
                return Ok(Err(Refusal::new(refusal.code(), refusal.to_string())));
            }
        }
        for refused in &self.refused {
            group.txn.put_dead_letter(refused, group.now.instant)?;
        }
        if seq <= before {
            return Ok(Ok(false));
        }
        let new = group.txn.put_receipt(&self.receipt, group.now.instant)?;
        if new {
            group.count_delivered(seq - before);
        }
        Ok(Ok(new))
    }
}
