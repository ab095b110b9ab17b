//! Heartbeat: where the site stands goes up, what is taken away comes down.

use std::{sync::Arc, time::Duration};

use farhold_contract::call::heartbeat::{Health, HeartbeatAnswer, HeartbeatRequest};
use farhold_sync::{Call, Freshness, LIMITS, Link, LinkChange, Pace, PaceEffect, Verdict};

use crate::{link::LinkError, owner::HeedAnswer, report};

use super::line::Line;

pub(super) async fn run(line: Arc<Line>) {
    let now = line.moment();
    let mut pace = Pace::new(line.wiring.timing, line.jitter(), now);
    let mut freshness = Freshness::new(None, pace.poll_after(), now);
    let mut changed = line.changed.subscribe();
    let mut last = now;
    loop {
        while let Some(PaceEffect::Heartbeat) = pace.poll_effect(line.moment()) {
            let (verdict, poll_after) = beat(&line).await;
            let now = line.moment();
            last = now;
            pace.handle_answer(verdict, poll_after, now);
            if verdict.is_success() {
                freshness.handle_accepted(pace.poll_after(), now);
            } else if pace.is_rejected() {
                freshness.handle_rejected(now);
            }
        }
        let now = line.moment();
        freshness.handle_timeout(now);
        if let Some(change) = freshness.poll_effect() {
            told(&change);
            if change.from == Link::AuthRejected {
                // The Kernel takes this agent again: the others need not sit out their waits.
                line.note_changed();
                changed.borrow_and_update();
            }
        }
        let (rejected, offline) =
            (freshness.link() == Link::AuthRejected, freshness.offline_total(now));
        line.wiring.board.update(|view| {
            view.auth_rejected = rejected;
            view.offline = offline;
        });
        let next = [pace.poll_timeout(), freshness.poll_timeout()].into_iter().flatten().min();
        tokio::select! {
            () = line.sleep_until(next) => {}
            // Not faster than a Kernel may ask for: one that names another bundle in each answer is
            // asked no more often for it.
            () = line.report_wanted.notified() => {
                pace.handle_wanted(line.moment().max(last + LIMITS.poll_after_min));
            }
            Ok(()) = changed.changed() => pace.handle_changed(line.moment()),
        }
    }
}

/// One heartbeat: what it came to, and after how many seconds the Kernel wants the next.
async fn beat(line: &Line) -> (Verdict, Option<u32>) {
    match ask(line).await {
        Ok(answer) => {
            let poll_after = answer.poll_after;
            match heed(line, answer).await {
                Verdict::Done => (Verdict::Done, Some(poll_after)),
                failed => (failed, None),
            }
        }
        Err(error) => {
            line.note_failed(&error);
            (line.judge(Call::Heartbeat, &error), None)
        }
    }
}

async fn ask(line: &Line) -> Result<HeartbeatAnswer, LinkError> {
    let request = {
        let (snapshot, now) = line.snapshot();
        let place = &line.wiring.place;
        let bundle = *line.bundle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let report = report::report(place, &snapshot, &now, &line.wiring.heartbeats, bundle);
        let status = if line.wiring.health.is_ready() { Health::Healthy } else { Health::Degraded };
        HeartbeatRequest { status, metrics: None, report: Some(report) }
    };
    line.client().heartbeat(&request).await
}

/// Kept before it takes effect, and before anybody is told that the Kernel was heard.
async fn heed(line: &Line, answer: HeartbeatAnswer) -> Verdict {
    let tenants = line.wiring.place.membership.as_ref();
    let tenants = tenants.map(|membership| membership.tenants.clone()).unwrap_or_default();
    let heed = HeedAnswer { answer: answer.clone(), tenants };
    if line.wiring.owner.submit(heed).await.is_err() {
        // The owner has said why; the next heartbeat brings the same answer.
        return Verdict::RetryLater;
    }
    // As the pace takes it: whatever a Kernel asks for, a site it has left is not online for years.
    let poll_after = Duration::from_secs(answer.poll_after.into())
        .clamp(LIMITS.poll_after_min, LIMITS.poll_after_max);
    line.note_heard(&answer, line.moment() + poll_after.saturating_mul(3));
    Verdict::Done
}

fn told(change: &LinkChange) {
    let after_seconds = change.after.as_secs();
    match change.to {
        Link::Online => tracing::info!(after_seconds, "online"),
        Link::Offline => {
            tracing::warn!(after_seconds, "offline; products are served from what is verified");
        }
        Link::AuthRejected => tracing::error!(
            after_seconds,
            "the Kernel refuses this agent; it is asked hourly, and products are served from what is verified"
        ),
    }
}
