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
use farhold_bundle::KeyId;
use farhold_contract::id::RuntimeId;

use super::{
    act::{Act, acting},
    agents,
    answer::{ChainAnswer, HeadAnswer, VerifyAnswer},
    refusal,
};
use crate::{
    control_plane::ControlPlane,
    storage::{HeldBranch, HeldRecord, Storage, TakenBody},
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
            chains.extend(chains_of(&act.plane.storage, agent_id, key_id).await?);
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
    storage: &Storage,
    agent_id: Option<RuntimeId>,
    key_id: KeyId,
) -> Result<Vec<ChainAnswer>, Refusal> {
    let branches = storage.heads(key_id).await.map_err(refusal)?;
    let mut chains: Vec<ChainAnswer> = Vec::new();
    for branch in &branches {
        let walked = walk(storage, branch).await?;
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

/// Walks a branch from its epoch's opening. What it shares with the branch it was forked from is
/// recomputed again, and counted there.
async fn walk(storage: &Storage, branch: &HeldBranch) -> Result<Walked, Refusal> {
    let mut walked = Walked::default();
    let mut position = ChainPosition::start(&branch.opening);
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
