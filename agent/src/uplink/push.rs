//! Push: the audit goes up, in order, until the Kernel's receipt says that it has it.

mod batch;

use std::sync::Arc;

use farhold_api::Refusal;
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
    loop {
        while let Some(effect) = push.poll_effect(line.moment()) {
            match effect {
                PushEffect::Send(run) => {
                    let answer = send(&line, &mut builder, run).await;
                    push.handle_appended(*appended.borrow_and_update(), line.moment());
                    push.handle_answer(answer, line.moment());
                }
                PushEffect::LookUpHead { seq } => {
                    let own = builder.head_at(seq).await;
                    push.handle_head(seq, own, line.moment());
                }
                PushEffect::Report(report) => told(&report),
            }
        }
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

async fn send(line: &Line, builder: &mut Builder, run: Run) -> PushAnswer {
    let (snapshot, now) = line.snapshot();
    let Some(Batch { body, to }) = builder.batch(run, Arc::clone(&snapshot), now).await else {
        return PushAnswer::Failed(Verdict::RetryLater);
    };
    let client = line.client();
    // While the Kernel works on this one, the next is made.
    let (answer, ()) = tokio::join!(
        client.push_batch(body),
        builder.make_next(run, to, Arc::clone(&snapshot), now)
    );
    match answer {
        Ok(Pushed::Accepted(response)) => accepted(line, response).await,
        Ok(Pushed::Gap { heads, .. }) => PushAnswer::Gap { heads },
        Err(error) => PushAnswer::Failed(line.judge(Call::Push, &error)),
    }
}

/// The receipt is verified as every document is, compared with the agent's own chain, and kept.
async fn accepted(line: &Line, response: BatchResponse) -> PushAnswer {
    let receipt = match receipt(line, &response) {
        Ok(receipt) => receipt,
        Err(refusal) => {
            tracing::error!(code = %refusal.code, reason = refusal.detail, "the Kernel's receipt is refused");
            return PushAnswer::Failed(Verdict::RetryLater);
        }
    };
    let seq = receipt.seq.as_u64();
    let device_key = line.wiring.place.facts.device_key.clone();
    let take = TakeReceipt { receipt, device_key, refused: response.refused };
    match line.wiring.owner.submit(take).await {
        Ok(Ok(_)) => {
            let wall = line.wall();
            line.wiring.board.update(|view| view.pushed_at = Some(wall));
            PushAnswer::Accepted { to: seq }
        }
        Ok(Err(refusal)) if refusal.code == Code::ReceiptBranch => PushAnswer::Branched { seq },
        Ok(Err(refusal)) => {
            tracing::error!(code = %refusal.code, reason = refusal.detail, "the Kernel's receipt is refused");
            PushAnswer::Failed(Verdict::RetryLater)
        }
        // The owner has said why.
        Err(_) => PushAnswer::Failed(Verdict::RetryLater),
    }
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
            "the Kernel lacks records that are no longer kept here; an earlier export can fill them"
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
