//! `GET /kernel/admin/audit/verify`: every chain, recomputed from its records.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::{ChainPosition, Head, event_hash, next_head};
use farhold_bundle::{Envelope, KeyId, RefusalReason, Verified, payload::Receipt};
use farhold_contract::id::RuntimeId;

use super::{
    act::{Act, acting},
    agents,
    answer::{ChainAnswer, HeadAnswer, MissingAnswer, VerifyAnswer},
    refusal,
};
use crate::{
    control_plane::ControlPlane,
    error_chain,
    storage::{HeldBranch, HeldRecord, MissingRun, Storage, TakenBody},
};

/// Records, or agents, read at once.
const PAGE: usize = 1_000;

/// Whose chains; absent: everybody's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    agent: Option<RuntimeId>,
}

pub(super) async fn verify(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.audit.verify", async |act| {
        let asked: Asked = super::query(&head.uri)?;
        let mut chains = Vec::new();
        for (agent_id, key_id) in owners(&act, asked.agent).await? {
            chains.extend(chains_of(&act.plane, agent_id, key_id).await?);
        }
        let answer = VerifyAnswer { intact: chains.iter().all(|c| c.fault.is_none()), chains };
        let about = json!({"chains": answer.chains.len(), "intact": answer.intact});
        act.record(about).await?;
        farhold_api::json(&answer)
    })
    .await
}

/// Whose chains there are: the Kernel's own first.
async fn owners(
    act: &Act,
    asked: Option<RuntimeId>,
) -> Result<Vec<(Option<RuntimeId>, KeyId)>, Refusal> {
    let storage = &act.plane.storage;
    if let Some(agent_id) = asked {
        let facts = storage.directory().agent(agent_id).ok_or_else(|| agents::unknown(agent_id))?;
        return Ok(vec![(Some(agent_id), facts.device_key.id())]);
    }
    let mut owners = vec![(None, act.plane.receipt_key().id())];
    let mut after = None;
    loop {
        let page = storage.agents(after, PAGE).await.map_err(refusal)?;
        let keys = page.iter().map(|agent| &agent.facts);
        owners.extend(keys.map(|facts| (Some(facts.runtime_id), facts.device_key.id())));
        after = page.last().map(|agent| agent.facts.runtime_id);
        if page.len() < PAGE {
            return Ok(owners);
        }
    }
}

/// The chains of one key, one an epoch: the branches of an epoch are one chain, forked.
async fn chains_of(
    plane: &ControlPlane,
    agent_id: Option<RuntimeId>,
    key_id: KeyId,
) -> Result<Vec<ChainAnswer>, Refusal> {
    let branches = plane.storage.heads(key_id).await.map_err(refusal)?;
    let mut chains: Vec<ChainAnswer> = Vec::new();
    for branch in &branches {
        let walked = walk(&plane.storage, branch, start(branch, &branches)).await?;
        let missing = missing_before(plane, branch, &branches).await?;
        let epoch = branch.opening.epoch.to_string();
        let at = chains.iter().position(|chain| chain.epoch == epoch).unwrap_or_else(|| {
            chains.push(ChainAnswer {
                agent_id,
                device_key_id: key_id.to_string(),
                epoch,
                records: 0,
                heads: Vec::new(),
                branches: 0,
                refused: 0,
                missing: Vec::new(),
                fault: None,
            });
            chains.len() - 1
        });
        let chain = &mut chains[at];
        chain.records += walked.records;
        chain.refused += walked.refused;
        chain.branches += u64::from(branch.forked_from.is_some());
        let tip = HeadAnswer { seq: branch.tip.seq, head: branch.tip.head.into() };
        chain.heads.push(tip);
        chain.fault = chain.fault.take().or(walked.fault);
        match missing {
            None => {}
            Some(Ok(missing)) => chain.missing.push(missing),
            Some(Err(fault)) => chain.fault = chain.fault.take().or(Some(fault)),
        }
    }
    Ok(chains)
}

/// What walking one branch found.
#[derive(Default)]
struct Walked {
    records: u64,
    refused: u64,
    fault: Option<String>,
}

/// Where the way to a branch begins: at its epoch's opening, or after records that are missing.
fn start(branch: &HeldBranch, branches: &[HeldBranch]) -> ChainPosition {
    let mut at = branch;
    while at.first_seq > 1 {
        if let Some(MissingRun { to, .. }) = at.missing {
            return to;
        }
        let parent = branches.iter().find(|other| Some(other.branch) == at.forked_from);
        match parent {
            Some(parent) => at = parent,
            None => break,
        }
    }
    ChainPosition::start(&branch.opening)
}

/// Walks a branch from there. What it shares with the branch it was forked from is recomputed
/// again, and counted there.
async fn walk(
    storage: &Storage,
    branch: &HeldBranch,
    start: ChainPosition,
) -> Result<Walked, Refusal> {
    let mut walked = Walked::default();
    let mut position = start;
    // Not further than the tip as it was: the chain goes on while it is walked.
    while position.seq < branch.tip.seq {
        let page = storage.chain_records(branch.branch, position.seq, PAGE).await;
        let page = page.map_err(refusal)?;
        if page.is_empty() {
            walked.fault = Some(format!("record {} is missing", position.seq + 1));
            return Ok(walked);
        }
        for held in page.iter().take_while(|held| held.link.seq <= branch.tip.seq) {
            match step(&position, held) {
                Ok(head) => position = ChainPosition { seq: held.link.seq, head },
                Err(fault) => {
                    walked.fault = Some(fault);
                    return Ok(walked);
                }
            }
            if held.link.seq >= branch.first_seq {
                walked.records += 1;
                walked.refused += u64::from(held.refused.is_some());
            }
        }
    }
    if position != branch.tip {
        walked.fault = Some(format!("record {} is not the head kept", position.seq));
    }
    Ok(walked)
}

/// The records missing before a branch, unless they have come another way since; or why the receipt
/// that stands for them does not hold.
async fn missing_before(
    plane: &ControlPlane,
    branch: &HeldBranch,
    branches: &[HeldBranch],
) -> Result<Option<Result<MissingAnswer, String>>, Refusal> {
    let Some(MissingRun { from, to }) = branch.missing else { return Ok(None) };
    let reaches = |other: &&HeldBranch| {
        other.opening.epoch == branch.opening.epoch
            && (other.first_seq..=other.tip.seq).contains(&to.seq)
    };
    for other in branches.iter().filter(reaches) {
        let last = plane.storage.chain_records(other.branch, to.seq - 1, 1).await;
        if last.map_err(refusal)?.first().is_some_and(|last| last.head == to.head) {
            return Ok(None);
        }
    }
    let line = plane.storage.receipt_before(branch.branch).await.map_err(refusal)?;
    let standing = &plane.documents().standing;
    let proven: Result<Verified<Receipt>, RefusalReason> =
        Envelope::open(&line.unwrap_or_default())
            .map_err(RefusalReason::from)
            .and_then(|envelope| standing.stands(envelope));
    let receipt = match proven {
        Ok(receipt) if is_for(&receipt, branch, to) => receipt,
        Ok(_) => return Ok(Some(Err(format!("the receipt for record {} is another's", to.seq)))),
        Err(reason) => {
            let why = error_chain(&reason);
            return Ok(Some(Err(format!("the receipt for record {}: {why}", to.seq))));
        }
    };
    Ok(Some(Ok(MissingAnswer {
        from,
        to: to.seq,
        received_at: receipt.received_at,
        receipt_key_ids: receipt.signers().iter().map(KeyId::to_string).collect(),
    })))
}

fn is_for(receipt: &Receipt, branch: &HeldBranch, to: ChainPosition) -> bool {
    receipt.device_key.id() == branch.opening.device_key_id
        && receipt.epoch.parse() == Ok(branch.opening.epoch)
        && ChainPosition { seq: receipt.seq.as_u64(), head: receipt.head.into() } == to
}

/// The head after a record, if it is the next one and comes to what was kept with it.
fn step(position: &ChainPosition, held: &HeldRecord) -> Result<Head, String> {
    let seq = held.link.seq;
    if seq != position.seq + 1 {
        return Err(format!("record {} is missing", position.seq + 1));
    }
    if let TakenBody::Kept { salt, event } = &held.body
        && event_hash(salt, event) != held.link.event_hash
    {
        return Err(format!("the event of record {seq} is not the one that was recorded"));
    }
    let head = next_head(&position.head, &held.link);
    if head != held.head {
        return Err(format!("record {seq} does not come to the head kept with it"));
    }
    Ok(head)
}
