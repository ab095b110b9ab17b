//! Judge: a batch held to its chain, line by line, and each record's content looked at.

use std::collections::BTreeMap;

use farhold_api::Refusal;
use farhold_audit::{
    Body, ExportError, ExportSummary, ExportVerifier, LIMITS, Opening, VerifiedRecord,
};
use farhold_contract::{Code, call::batch::RefusedRecord, id::TenantId};

use crate::{
    intake::inflate::inflate,
    storage::{AgentFacts, EventIdentity, Refused, TakenBody, TakenRecord},
};

/// A batch whose lines make the chain that the device signed.
pub(super) struct Judged {
    /// What it amounts to.
    pub summary: ExportSummary,
    /// How its epoch began.
    pub opening: Opening,
    /// Its records, each with what is to be made of it.
    pub records: Vec<TakenRecord>,
    /// Those whose content is refused, as the agent is told.
    pub refused: Vec<RefusedRecord>,
    /// How many records name a tenant that is not of the agent's site.
    pub foreign: BTreeMap<TenantId, u64>,
}

/// Inflates a batch and holds it to the device key of the agent that sent it.
///
/// # Errors
/// What [`inflate`] refuses; the code of the first line that does not hold: nothing of the batch
/// is the agent's word then.
pub(super) fn judge(compressed: &[u8], agent: &AgentFacts) -> Result<Judged, Refusal> {
    let inflated = inflate(compressed)?;
    let mut lines = inflated.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut verifier =
        ExportVerifier::open(first, Some(&agent.device_key)).map_err(|error| broken(&error))?;
    let checkpoint = verifier.checkpoint();
    if checkpoint.runtime_id.is_some_and(|named| named != agent.runtime_id) {
        return Err(Refusal::new(Code::RuntimeMismatch, "the checkpoint names another agent"));
    }
    let opening = Opening::of(checkpoint)
        .map_err(|_| Refusal::new(Code::PayloadMalformed, "an epoch is not hexadecimal"))?;

    let mut judgment = Judgment { agent, refused: Vec::new(), foreign: BTreeMap::new() };
    // A signed number, but what a batch can hold bounds it.
    let expected = checkpoint.records.as_u64().min(inflated.len() as u64 / 100);
    let mut records = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    for line in lines {
        if line.len() > LIMITS.line_bytes {
            let detail = format!("a record's line has more than {} bytes", LIMITS.line_bytes);
            return Err(Refusal::new(Code::ChainBroken, detail));
        }
        let record = verifier.record(line).map_err(|error| broken(&error))?;
        records.push(judgment.of(record));
    }
    let summary = verifier.finish().map_err(|error| broken(&error))?;
    let Judgment { refused, foreign, .. } = judgment;
    Ok(Judged { summary, opening, records, refused, foreign })
}

fn broken(error: &ExportError) -> Refusal {
    Refusal::new(error.code(), crate::error_chain(error).to_string())
}

/// What is made of the records, one by one.
struct Judgment<'a> {
    agent: &'a AgentFacts,
    refused: Vec<RefusedRecord>,
    foreign: BTreeMap<TenantId, u64>,
}

impl Judgment<'_> {
    /// The record as it is kept. Content that is refused stays in the chain (bundle.md §6.7).
    fn of(&mut self, record: VerifiedRecord<'_>) -> TakenRecord {
        let (event, refused) = self.content(&record);
        if let Some(Refused { code, detail, .. }) = &refused {
            let (seq, code, detail) = (record.link().seq, *code, detail.clone());
            self.refused.push(RefusedRecord { seq, code, detail });
        }
        let body = match record.body() {
            Body::Kept { salt, event } => {
                TakenBody::Kept { salt: *salt, event: event.as_bytes().to_vec() }
            }
            Body::Withheld(why) => TakenBody::Withheld(*why),
        };
        TakenRecord { link: *record.link(), head: record.head(), body, event, refused }
    }

    fn content(&mut self, record: &VerifiedRecord<'_>) -> (Option<EventIdentity>, Option<Refused>) {
        let tenant_id = record.link().tenant_id;
        let own = self.agent.own_tenant();
        if !self.agent.tenants.contains(&tenant_id) {
            *self.foreign.entry(tenant_id).or_default() += 1;
            let detail = format!("tenant {tenant_id} is not of this site");
            let refused = Refused { code: Code::TenantMismatch, detail, listed_under: own };
            return (None, Some(refused));
        }
        match record.inspect() {
            Ok(None) => (None, None),
            // What the Kernel did is the Kernel's own to say, in its own chain.
            Ok(Some(head)) if head.kind.starts_with("kernel.") => {
                let detail = format!("{} is not an agent's to write", head.kind);
                let refused = Refused { code: Code::EventRefused, detail, listed_under: tenant_id };
                (None, Some(refused))
            }
            Ok(Some(head)) => {
                let event_id = head.event_id;
                let (kind, runtime_id) = (head.kind, head.runtime_id);
                (Some(EventIdentity { event_id, kind, runtime_id }), None)
            }
            Err(error) => {
                let (code, detail) = (error.code(), error.to_string());
                (None, Some(Refused { code, detail, listed_under: tenant_id }))
            }
        }
    }
}
