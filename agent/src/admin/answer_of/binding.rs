//! What a license is bound to, beside this site.

use std::collections::BTreeMap;

use farhold_bundle::{
    Verified,
    payload::{Binding, License},
};

use crate::{admin::answer::BoundToAnswer, machine, snapshot::Snapshot};

/// What a license is bound to, and how this site compares as it was last looked at.
pub(in crate::admin) fn bound_to(
    license: &Verified<License>,
    snapshot: &Snapshot,
) -> BoundToAnswer {
    let nothing = BoundToAnswer {
        kind: "nothing".to_owned(),
        holds: true,
        device_key: None,
        require: None,
        holding: None,
        components: BTreeMap::new(),
        remembered: BTreeMap::new(),
    };
    match &license.binding {
        None | Some(Binding::None) => nothing,
        Some(Binding::DeviceKey(key)) => BoundToAnswer {
            kind: "device_key".to_owned(),
            holds: *key == snapshot.facts.device_key,
            device_key: Some(key.clone()),
            ..nothing
        },
        Some(Binding::Fingerprint(binding)) => {
            let bound = machine::beside(snapshot, license, binding);
            let states = bound.comparison.components.iter();
            BoundToAnswer {
                kind: "fingerprint".to_owned(),
                holds: bound.comparison.holds(),
                require: Some(bound.comparison.required),
                holding: Some(bound.comparison.holding),
                components: states
                    .map(|(name, state)| (name.clone(), state.as_str().to_owned()))
                    .collect(),
                remembered: bound.remembered,
                ..nothing
            }
        }
    }
}
