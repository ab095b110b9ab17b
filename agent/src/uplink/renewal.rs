//! Renewal: the certificate is renewed by the device key, also after its end.

use std::sync::Arc;

use serde_json::json;

use farhold_audit::OwnKind;
use farhold_sync::{Call, Presented, Renewal, RenewalEffect, Validity, Verdict};

use crate::{
    link::{self, Enrollment, LinkError},
    own_event::Draft,
    owner::AppendOwn,
};

use super::line::Line;

/// How far wall and time since boot may drift apart without the clock having been set.
const SET_MS: i64 = 60_000;

pub(super) async fn run(line: Arc<Line>) {
    let Some(validity) = validity(&line.enrollment()) else { return };
    let (timing, jitter) = (line.wiring.timing, line.jitter());
    let mut renewal = Renewal::new(timing, jitter, validity, line.wall(), line.moment());
    let (mut heard, mut changed) = (line.heard.subscribe(), line.changed.subscribe());
    let mut offset_ms = offset_ms(&line);
    loop {
        while let Some(RenewalEffect::Renew(presented)) = renewal.poll_effect(line.moment()) {
            match renew(&line, presented).await {
                Ok(validity) => renewal.handle_renewed(validity, line.moment()),
                Err(verdict) => renewal.handle_failed(verdict, line.moment()),
            }
        }
        tokio::select! {
            () = line.sleep_until(renewal.poll_timeout()) => {}
            () = line.certificate_rejected.notified() => renewal.handle_rejected(line.moment()),
            Ok(()) = heard.changed() => renewal.handle_restored(),
            Ok(()) = changed.changed() => renewal.handle_changed(),
        }
        let now_ms = self::offset_ms(&line);
        if now_ms.abs_diff(offset_ms) > SET_MS.unsigned_abs() {
            offset_ms = now_ms;
            renewal.handle_wall(line.wall(), line.moment());
        }
    }
}

async fn renew(line: &Line, presented: Presented) -> Result<Validity, Verdict> {
    let before = line.enrollment();
    let ask = || async {
        let place = &line.wiring.place;
        let (pins, wall) = (line.kernel_ca(), line.wall());
        link::renew(&before, &pins, &place.device, presented, wall, &line.wiring.settings).await
    };
    let renewed = ask().await.map_err(|error| failed(&error))?;
    // On disk before anything uses it: a key that is lost in a crash would strand its certificate.
    renewed.save(&line.wiring.place.state_dir).map_err(|error| {
        tracing::error!(error = %crate::error_chain(&error), "the renewed certificate could not be kept");
        Verdict::RetryLater
    })?;
    let validity = validity(&renewed).ok_or(Verdict::RetryLater)?;
    line.renewed(renewed).map_err(|error| failed(&error))?;
    tracing::info!(ends = %validity.not_after, "the certificate was renewed");
    record(line, validity).await;
    Ok(validity)
}

fn failed(error: &LinkError) -> Verdict {
    let verdict = farhold_sync::verdict(Call::Renew, &error.outcome());
    // Out of reach is the heartbeat's to tell.
    if verdict != Verdict::Unreachable {
        tracing::warn!(reason = %crate::error_chain(error), "the certificate could not be renewed");
    }
    verdict
}

async fn record(line: &Line, validity: Validity) {
    let Some(tenant_id) = line.wiring.place.own_tenant() else { return };
    let payload = json!({"not_after": validity.not_after});
    let draft = Draft::new(OwnKind::CertificateRenewed, payload);
    if line.wiring.owner.submit(AppendOwn { tenant_id, draft }).await.is_err() {
        tracing::warn!("the renewal could not be recorded");
    }
}

fn validity(enrollment: &Enrollment) -> Option<Validity> {
    let facts = enrollment.current.facts().ok()?;
    Some(Validity { not_before: facts.not_before, not_after: facts.not_after })
}

/// Wall against time since boot: it jumps when the clock is set.
fn offset_ms(line: &Line) -> i64 {
    line.wall().as_ms().saturating_sub_unsigned(line.moment().as_ms())
}
