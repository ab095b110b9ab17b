//! Pull: the bundle that the Kernel wants the site to stand at.

use std::sync::{Arc, PoisonError};

use farhold_contract::{Code, Sha256Digest};
use farhold_sync::{Call, Pull, PullAnswer, PullEffect};

use crate::link::Pulled;

use super::line::Line;

pub(super) async fn run(line: Arc<Line>) {
    let mut pull = Pull::new(line.wiring.timing, line.jitter(), None);
    let (mut heard, mut changed) = (line.heard.subscribe(), line.changed.subscribe());
    loop {
        while let Some(PullEffect::Pull { etag }) = pull.poll_effect(line.moment()) {
            let answer = fetch(&line, etag).await;
            pull.handle_answer(answer, line.moment());
            let last = pull.last();
            let mut stands = line.bundle.lock().unwrap_or_else(PoisonError::into_inner);
            if *stands != last {
                *stands = last;
                drop(stands);
                // What is in force has changed: the Kernel is to know before the next poll.
                line.report_wanted.notify_one();
            }
        }
        tokio::select! {
            () = line.sleep_until(pull.poll_timeout()) => {}
            Ok(()) = heard.changed() => {
                let digest = heard.borrow_and_update().bundle_digest;
                pull.handle_heartbeat(digest);
            }
            Ok(()) = changed.changed() => pull.handle_changed(),
        }
    }
}

async fn fetch(line: &Line, etag: Option<Sha256Digest>) -> PullAnswer {
    match line.client().bundle(etag.as_ref()).await {
        Ok(Pulled::NotModified) => {
            note_pulled(line);
            PullAnswer::Failed(farhold_sync::Verdict::NotModified)
        }
        Ok(Pulled::Bundle { bytes, digest }) => match line.wiring.importer.import(bytes).await {
            Ok(_) => {
                tracing::info!(bundle.sha256 = %digest, "a bundle was pulled");
                note_pulled(line);
                PullAnswer::Imported { digest }
            }
            // It stands already: by hand, or before a restart.
            Err(refusal) if refusal.code == Code::BundleSuperseded => {
                note_pulled(line);
                PullAnswer::Imported { digest }
            }
            // The disk, the database: the bundle is not to blame, and is pulled again.
            Err(refusal) if refusal.code.status() >= 500 => {
                PullAnswer::Failed(farhold_sync::Verdict::RetryLater)
            }
            Err(_) => PullAnswer::Refused { digest },
        },
        Err(error) => PullAnswer::Failed(line.judge(Call::Pull, &error)),
    }
}

/// The bundle that the Kernel wants stands here.
fn note_pulled(line: &Line) {
    let wall = line.wall();
    line.wiring.board.update(|view| view.pulled_at = Some(wall));
}
