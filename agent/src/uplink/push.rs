//! Push: the audit goes up, in order, until the Kernel's receipt says that it has it.

mod batch;

use std::sync::Arc;

use farhold_api::Refusal;
use farhold_audit::{ChainPosition, applies};
use farhold_bundle::{Envelope, Verified, payload::Receipt};
use farhold_contract::{
    Code,
    call::{batch::BatchResponse, heartbeat::Backfill},
};
use farhold_store::{Reader, StoreError};
use farhold_sync::{Backlog, Call, Push, PushAnswer, PushEffect, PushReport, Run, Verdict};

use crate::{link::Pushed, owner::TakeReceipt};

use super::line::Line;
use batch::{Batch, Builder};

pub(super) async fn run(line: Arc<Line>) {
    let Some(backlog) = backlog(&line).await else { return };
    let mut push = Push::new(line.wiring.timing, line.jitter(), backlog);
    let mut builder = Builder::new(&line.wiring.place);
    let (mut heard, mut changed) = (line.heard.subscribe(), line.changed.subscribe());
    let mut appended = line.wiring.owner.appended();
    let mut unkept = None;
    loop {
        while let Some(effect) = push.poll_effect(line.moment()) {
            match effect {
                PushEffect::Send(run) => {
                    // The Kernel works on this one while the receipt before it is kept.
                    let kept = keep(&line, unkept.take());
                    let (answer, ()) = tokio::join!(send(&line, &mut builder, run), kept);
                    let answer = match answer {
                        Sent::Receipted(receipt, answer) => {
                            unkept = Some(*receipt);
                            answer
                        }
                        Sent::Answered(answer) => answer,
                    };
                    push.handle_appended(*appended.borrow_and_update(), line.moment());
                    if !matches!(answer, PushAnswer::Accepted { .. }) {
                        pruned(&mut push, &mut builder).await;
                    }
                    push.handle_answer(answer, line.moment());
                }
                PushEffect::LookUpHead { seq } => {
                    let own = builder.head_at(seq, line.snapshot().0).await;
                    push.handle_head(seq, own, line.moment());
                }
                PushEffect::LookUpReceipt { from } => {
                    let receipted = builder.receipted(from, line.snapshot().0).await;
                    push.handle_receipted(receipted, line.moment());
                }
                PushEffect::Report(report) => told(&report),
            }
        }
        keep(&line, unkept.take()).await;
        let waits = push.poll_timeout();
        tokio::select! {
            () = line.sleep_until(waits) => {}
            // Once something waits for company, what comes meanwhile is counted when its time is
            // over: a busy site is not woken by each record.
            Ok(()) = appended.changed(), if waits.is_none() => {
                push.handle_appended(*appended.borrow_and_update(), line.moment());
            }
            Ok(()) = heard.changed() => {
                let runs: Vec<Backfill> = heard.borrow_and_update().backfill.clone();
                if !runs.is_empty() {
                    pruned(&mut push, &mut builder).await;
                }
                push.handle_heartbeat(&runs);
            }
            Ok(()) = changed.changed() => push.handle_changed(),
        }
        let (snapshot, _) = line.snapshot();
        push.handle_appended(snapshot.chain.seq, line.moment());
        push.handle_receipt(snapshot.acknowledged_seq);
    }
}

/// What the store holds; asked until it answers.
async fn backlog(line: &Line) -> Option<Backlog> {
    let (snapshot, _) = line.snapshot();
    let state_dir = line.wiring.place.state_dir.clone();
    let first =
        move || -> Result<Option<u64>, StoreError> { Reader::open(&state_dir)?.first_seq() };
    let first = match tokio::task::spawn_blocking(first).await.ok()? {
        Ok(first) => first,
        Err(error) => {
            tracing::error!(error = %crate::error_chain(&error), "the audit can't be read, and is not sent");
            return None;
        }
    };
    Some(Backlog {
        epoch: line.wiring.place.opening.epoch,
        first: first.unwrap_or(snapshot.chain.seq + 1),
        last: snapshot.chain.seq,
        acknowledged: snapshot.acknowledged_seq,
    })
}

/// Only where something is sent again does it matter what is still kept.
async fn pruned(push: &mut Push, builder: &mut Builder) {
    if let Some(first) = builder.first_kept().await {
        push.handle_pruned(first);
    }
}

/// What became of a batch.
enum Sent {
    /// The receipt is for just these records: what comes next need not wait until it is kept.
    Receipted(Box<TakeReceipt>, PushAnswer),
    /// Anything else, and what there was to keep is kept.
    Answered(PushAnswer),
}

async fn send(line: &Line, builder: &mut Builder, run: Run) -> Sent {
    let (snapshot, now) = line.snapshot();
    let Some(Batch { body, after }) = builder.batch(run, Arc::clone(&snapshot), now).await else {
        return Sent::Answered(PushAnswer::Failed(Verdict::RetryLater));
    };
    let client = line.client();
    // While the Kernel works on this one, the next is made.
    let (answer, ()) = tokio::join!(
        client.push_batch(body),
        builder.make_next(run, after.seq, Arc::clone(&snapshot), now)
    );
    match answer {
        Ok(Pushed::Accepted(response)) => accepted(line, run, after, response).await,
        Ok(Pushed::Gap { heads, .. }) => Sent::Answered(PushAnswer::Gap { heads }),
        Err(error) => Sent::Answered(PushAnswer::Failed(line.judge(Call::Push, &error))),
    }
}

/// The receipt is verified as every document is, compared with the agent's own chain, and kept.
async fn accepted(line: &Line, run: Run, after: ChainPosition, response: BatchResponse) -> Sent {
    let receipt = match receipt(line, &response) {
        Ok(receipt) => receipt,
        Err(refusal) => {
            tell(&refusal);
            return Sent::Answered(PushAnswer::Failed(Verdict::RetryLater));
        }
    };
    let seq = receipt.seq.as_u64();
    // What was not in the batch can't have been refused with it.
    let mut refused = response.refused;
    refused.retain(|refused| (run.from..=seq.min(run.to)).contains(&refused.seq));
    let place = &line.wiring.place;
    let is_for_these =
        applies(&receipt, &place.facts.device_key, &place.opening.epoch, Some(after.head)).is_ok()
            && seq == after.seq;
    let device_key = place.facts.device_key.clone();
    let take = TakeReceipt { receipt, device_key, refused };
    // Nothing else says which content was refused: that is kept first. Without it a receipt that
    // is lost costs nothing, for the next one confirms the same records.
    if is_for_these && take.refused.is_empty() {
        return Sent::Receipted(Box::new(take), PushAnswer::Accepted { to: seq });
    }
    Sent::Answered(match kept(line, take).await {
        Ok(()) => PushAnswer::Accepted { to: seq },
        Err(Some(Code::ReceiptBranch)) => PushAnswer::Branched { seq },
        Err(_) => PushAnswer::Failed(Verdict::RetryLater),
    })
}

/// Keeps the receipt of records that are the agent's own. What can't be kept has been logged.
async fn keep(line: &Line, receipt: Option<TakeReceipt>) {
    if let Some(take) = receipt {
        let _ = kept(line, take).await;
    }
}

/// Keeps a receipt if it is for the agent's own chain; why not, where that has a code.
async fn kept(line: &Line, take: TakeReceipt) -> Result<(), Option<Code>> {
    match line.wiring.owner.submit(take).await {
        Ok(Ok(_)) => {
            let wall = line.wall();
            line.wiring.board.update(|view| view.pushed_at = Some(wall));
            Ok(())
        }
        Ok(Err(refusal)) => {
            if refusal.code != Code::ReceiptBranch {
                tell(&refusal);
            }
            Err(Some(refusal.code))
        }
        // The owner has said why.
        Err(_) => Err(None),
    }
}

fn tell(refusal: &Refusal) {
    tracing::error!(code = %refusal.code, reason = refusal.detail, "the Kernel's receipt is refused");
}

fn receipt(line: &Line, response: &BatchResponse) -> Result<Verified<Receipt>, Refusal> {
    let (snapshot, _) = line.snapshot();
    let root = snapshot.documents.standing.root().ok_or(Code::TrustMissing)?;
    Envelope::open(response.receipt.get().as_bytes())
        .map_err(farhold_bundle::RefusalReason::from)
        .and_then(|envelope| root.verify(envelope))
        .map_err(|reason| crate::importer::refusal(reason.code(), &reason))
}

fn told(report: &PushReport) {
    match report {
        PushReport::Rewound { to } => {
            tracing::warn!(to, "the Kernel lacks records that it had; they are sent again");
        }
        PushReport::Missing { epoch, from, to } => tracing::error!(
            epoch,
            from,
            to,
            "the Kernel lacks records that are no longer kept here; only an earlier export has them"
        ),
        PushReport::Branched { seq } => tracing::error!(
            seq,
            "the Kernel has another history of this agent: its state was restored or copied"
        ),
        PushReport::Blocked { after } => tracing::error!(
            after,
            "the Kernel refuses the next batch for good; it is offered again hourly, and nothing is dropped"
        ),
    }
}
