//! `GET /admin/fingerprint`: the machine, looked at now.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use http::HeaderMap;

use farhold_bundle::{ComponentState, component_family};

use crate::{
    machine::{self, Bound, MachineState, Presence, Reading, Surroundings},
    owner::look_again,
};

use super::{
    Admin,
    answer::fingerprint::{
        BoundAnswer, ComponentAnswer, EnvironmentAnswer, FingerprintAnswer, RecommendedAnswer,
    },
};

pub(super) async fn show(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        look_again(&admin.owner, &admin.place).await?;
        let snapshot = admin.owner.snapshot();
        let now = snapshot.now(&admin.clock.read());
        let machine = &*snapshot.machine;
        let recommended = machine::recommend(machine, &admin.place.facts.device_key);
        farhold_api::json(&FingerprintAnswer {
            looked_at: machine.looked_at,
            components: components(machine),
            cpu_model: machine.cpu_model.clone(),
            environment: EnvironmentAnswer {
                kind: kind(machine.environment.kind).to_owned(),
                signs: machine.environment.signs.clone(),
            },
            recommended: RecommendedAnswer {
                binding: recommended.binding.to_owned(),
                why: recommended.why,
                template: recommended.template,
            },
            licenses: machine::bound_licenses(&snapshot, &now).iter().map(bound).collect(),
        })
    })
    .await
}

/// What was looked for, and what was once there.
fn components(machine: &MachineState) -> Vec<ComponentAnswer> {
    let mut components: BTreeMap<&str, ComponentAnswer> = BTreeMap::new();
    for (name, reading) in &machine.readings {
        components.insert(name, unknown(name, reading));
    }
    for (name, known) in &machine.memory.components {
        // One that is not seen is as its whole family is, where none of that can be read.
        let of_family = machine.readings.get(component_family(name)).unwrap_or(&Reading::Absent);
        let answer = components.entry(name).or_insert_with(|| unknown(name, of_family));
        match known.presence {
            Presence::There => {}
            Presence::MissingSince(since) => {
                answer.reason = Some(format!("not there since {since}; it counts for a while yet"));
            }
            Presence::Gone => answer.state = "gone".to_owned(),
        }
        if known.presence != Presence::Gone {
            answer.hash = Some(known.hash.clone());
        }
        answer.first_seen = Some(known.first_seen);
        answer.changed_at = known.changed_at;
        answer.unread_since = known.unread_since;
    }
    components.into_values().collect()
}

/// A component of which nothing is remembered.
fn unknown(name: &str, reading: &Reading<()>) -> ComponentAnswer {
    ComponentAnswer {
        name: name.to_owned(),
        state: reading.as_str().to_owned(),
        reason: reading.reason().map(str::to_owned),
        hash: None,
        first_seen: None,
        changed_at: None,
        unread_since: None,
    }
}

const fn kind(kind: Surroundings) -> &'static str {
    match kind {
        Surroundings::Kubernetes => "kubernetes",
        Surroundings::Container => "container",
        Surroundings::VirtualMachine => "virtual_machine",
        Surroundings::BareMetal => "bare_metal",
    }
}

fn bound(bound: &Bound<'_>) -> BoundAnswer {
    let comparison = &bound.comparison;
    let states = comparison.components.iter();
    BoundAnswer {
        tenant_id: bound.license.tenant.tenant_id,
        product: bound.license.product.clone(),
        license_id: bound.license.license_id,
        serial: bound.license.serial.as_u64(),
        require: comparison.required,
        holding: comparison.holding,
        read: comparison.count(ComponentState::Same),
        holds: comparison.holds(),
        bears: comparison.bears(),
        components: states.map(|(name, state)| (name.clone(), state.as_str().to_owned())).collect(),
        remembered: bound.remembered.clone(),
        renamed: comparison.renamed.clone(),
        next_change: bound.next_change(),
    }
}
