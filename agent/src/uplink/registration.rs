//! Registration: the site's runtimes are made known to the Kernel under the ids they have.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use farhold_contract::{Sha256Digest, call::register::RegisterRequest, id::RuntimeId};
use farhold_policy::RuntimeFacts;
use farhold_store::RuntimeRow;
use farhold_sync::{Call, Registration, RegistrationEffect, Verdict};

use super::line::Line;

pub(super) async fn run(line: Arc<Line>) {
    let mut registration = Registration::new(line.wiring.timing, line.jitter());
    let (mut heard, mut changed) = (line.heard.subscribe(), line.changed.subscribe());
    let mut registered = line.wiring.owner.registered();
    state(&line, &mut registration);
    loop {
        // Nothing is asked before the Kernel has answered once: at a start it may be far away.
        if line.wiring.board.view().heard_at.is_some() {
            while let Some(RegistrationEffect::Register { runtime_id, .. }) =
                registration.poll_effect(line.moment())
            {
                let verdict = register(&line, runtime_id).await;
                registration.handle_answer(verdict, line.moment());
            }
        }
        tokio::select! {
            () = line.sleep_until(registration.poll_timeout()) => {}
            Ok(()) = registered.changed() => state(&line, &mut registration),
            Ok(()) = heard.changed() => registration.handle_restored(),
            Ok(()) = changed.changed() => registration.handle_changed(),
        }
    }
}

/// Tells the machine of every runtime as it stands.
fn state(line: &Line, registration: &mut Registration) {
    let (snapshot, _) = line.snapshot();
    for (row, facts) in snapshot.registry.runtimes() {
        registration.handle_stated(row.runtime_id, statement(&request(row, facts)), None);
    }
}

async fn register(line: &Line, runtime_id: RuntimeId) -> Verdict {
    let (snapshot, _) = line.snapshot();
    let Some((row, facts)) = snapshot.registry.registered(runtime_id) else {
        return Verdict::RefusedForGood;
    };
    let request = request(row, facts);
    match line.client().register(request.tenant_id, &request).await {
        Ok(_) => Verdict::Done,
        Err(error) => {
            let verdict = line.judge(Call::Register, &error);
            if verdict == Verdict::RefusedForGood {
                tracing::warn!(runtime.id = %runtime_id, reason = %crate::error_chain(&error), "the Kernel does not take this runtime");
            }
            verdict
        }
    }
}

/// What the runtime stated, as the Kernel is to have it.
fn request(row: &RuntimeRow, facts: &RuntimeFacts) -> RegisterRequest {
    RegisterRequest {
        tenant_id: row.tenant_id,
        runtime_type: facts.runtime_type,
        deployment_mode: row.deployment_mode,
        version: row.version.clone(),
        capabilities: row.capabilities.clone(),
        runtime_id: Some(row.runtime_id),
        released_on: row.released_on,
    }
}

fn statement(request: &RegisterRequest) -> Sha256Digest {
    // Texts, names and dates: writing them can't fail.
    let bytes = serde_json::to_vec(request).unwrap_or_default();
    Sha256Digest::new(Sha256::digest(&bytes).into())
}
