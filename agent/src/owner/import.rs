//! Applying an import: documents, receipts and clock in one transaction.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::{OwnKind, applies};
use farhold_bundle::{ImportPlan, PublicKey, SiteFacts, Verified};
use farhold_contract::{Code, Sha256Digest, id::TenantId};
use farhold_store::StoreError;

use crate::{own_event::Draft, site::SET_ASIDE, snapshot::Documents};

use super::{group::Group, work::Operation};

/// Applies a plan, all of it or nothing.
pub struct ApplyImport {
    /// The documents it was planned against.
    pub base: Arc<Documents>,
    /// The site it was planned for.
    pub facts: Arc<SiteFacts>,
    /// The plan.
    pub plan: ImportPlan,
    /// What follows from its documents at this site.
    pub documents: Arc<Documents>,
    /// The hash of the bundle's bytes.
    pub bundle_sha256: Sha256Digest,
    /// The agent's key.
    pub device_key: PublicKey,
    /// In whose context it is recorded.
    pub tenant_id: Option<TenantId>,
}

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was applied.
    Done,
    /// It was not: the machine, a request or a release has changed the site since it was planned.
    Outdated,
}

impl Operation for ApplyImport {
    type Answer = Result<Applied, Refusal>;
    const DRAWS_ON_RESERVE: bool = true;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        if !Arc::ptr_eq(&self.base, group.documents()) || !Arc::ptr_eq(&self.facts, group.facts()) {
            return Ok(Ok(Applied::Outdated));
        }
        // Everything is judged before anything is staged: a refusal here leaves no trace.
        let opening_epoch = group.epoch();
        for receipt in &self.plan.receipts {
            let kept = group.txn.head_at(receipt.seq.as_u64())?;
            if let Err(refusal) = applies(receipt, &self.device_key, &opening_epoch, kept) {
                // A record pruned after an earlier receipt can't be compared, and needs no other.
                let known = receipt.seq.as_u64() <= group.txn.acknowledged_seq() && kept.is_none();
                if !known {
                    return Ok(Err(Refusal::new(refusal.code(), refusal.to_string())));
                }
            }
        }
        let mut news = self.plan.lines.iter().any(|line| {
            line.outcome == farhold_bundle::LineOutcome::New
                && line.document != farhold_bundle::DocumentType::Receipt
        });
        let mut receipted = Vec::new();
        for receipt in &self.plan.receipts {
            let before = group.txn.acknowledged_seq();
            if group.txn.put_receipt(receipt, group.now.instant)? {
                group.count_delivered(receipt.seq.as_u64() - before);
                receipted.push(receipt.seq.as_u64());
                news = true;
            }
        }
        if !news {
            return Ok(Err(Code::BundleSuperseded.into()));
        }
        let mark_before = group.now.mark;
        if let Some(reset) = &self.plan.clock_reset {
            let reading = group.reading;
            group.clock_mut().reset_to(reset.time, &reading);
            group.keep_clock();
            group.close_request()?;
        }
        // Also where nothing is: what a state of before this was kept names is then over.
        group.txn.put_own(SET_ASIDE, &self.documents.set_aside)?;
        let stood: BTreeSet<_> =
            self.base.standing.licenses().iter().map(Verified::sha256).collect();
        let mut word = group.word().clone();
        for license in self.documents.standing.licenses() {
            if !stood.contains(&license.sha256()) {
                word.lift_by(license);
            }
        }
        if word != *group.word() {
            group.put_word(word)?;
        }
        group.put_documents(self.documents)?;
        if let Some(tenant_id) = self.tenant_id {
            let lines: Vec<_> = self.plan.lines.iter().map(|line| line.name.as_str()).collect();
            let payload =
                json!({"sha256": self.bundle_sha256, "lines": lines, "fallen": self.plan.fallen});
            group.append_own(tenant_id, Draft::new(OwnKind::BundleImported, payload))?;
            if let Some(reset) = &self.plan.clock_reset {
                let payload = json!({"from": mark_before, "to": reset.time});
                group.append_own(tenant_id, Draft::new(OwnKind::ClockReset, payload))?;
            }
            for seq in receipted {
                group.append_own(
                    tenant_id,
                    Draft::new(OwnKind::ReceiptImported, json!({"seq": seq})),
                )?;
            }
        }
        Ok(Ok(Applied::Done))
    }
}
