//! Recommendation: which binding suits this machine, as lines for the vendor's template.

use std::collections::BTreeMap;

use farhold_bundle::{PublicKey, component_family};

use super::{environment::Surroundings, reading::Reading, state::MachineState};

/// Network cards come and go; more of them would outvote the rest of the machine.
const CARDS_MAX: usize = 2;
/// Fewer than this tell no machine from another with any change allowed.
const COMPONENTS_MIN: usize = 2;

/// Which binding suits this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    /// `device_key` or `fingerprint`.
    pub binding: &'static str,
    /// Why, in one or two sentences.
    pub why: String,
    /// Lines for the vendor's template.
    pub template: String,
}

/// Which binding suits a machine: the device key where nothing of the machine stays, else its
/// components with room for change.
pub fn recommend(machine: &MachineState, device_key: &PublicKey) -> Recommendation {
    let kind = machine.environment.kind;
    let components = countable(machine);
    match kind {
        Surroundings::Kubernetes | Surroundings::Container => by_device_key(
            format!(
                "A {} is made anew and keeps nothing of its machine. Keep the agent's state directory on a volume that stays: its device key is the agent.",
                if kind == Surroundings::Kubernetes { "pod" } else { "container" }
            ),
            device_key,
        ),
        Surroundings::VirtualMachine | Surroundings::BareMetal
            if components.len() < COMPONENTS_MIN =>
        {
            by_device_key(
                "Too little of this machine can be read to tell it from another.".to_owned(),
                device_key,
            )
        }
        Surroundings::VirtualMachine | Surroundings::BareMetal => by_fingerprint(&components),
    }
}

/// What was read just now; nothing that is only remembered.
fn countable(machine: &MachineState) -> BTreeMap<String, String> {
    let mut cards = 0;
    machine
        .fingerprint()
        .into_iter()
        .filter(|(name, _)| matches!(machine.readings.get(name), Some(Reading::Read(()))))
        .filter(|(name, _)| {
            if component_family(name) == "nic" {
                cards += 1;
            }
            component_family(name) != "nic" || cards <= CARDS_MAX
        })
        .collect()
}

fn by_device_key(why: String, device_key: &PublicKey) -> Recommendation {
    let template = format!("[binding]\ndevice_key = \"{device_key}\"\n");
    Recommendation { binding: "device_key", why, template }
}

fn by_fingerprint(components: &BTreeMap<String, String>) -> Recommendation {
    let count = components.len();
    // More than half: no two machines can both hold it. Of five, two may change.
    let require = (count * 3).div_ceil(5);
    let mut template =
        format!("[binding.fingerprint]\nrequire = {require}\n\n[binding.fingerprint.components]\n");
    for (name, hash) in components {
        template.push_str(&format!("\"{name}\" = \"{hash}\"\n"));
    }
    let may_change = count - require;
    let why = format!(
        "{count} components can be read. With {require} required, {may_change} may change before a rehost is needed."
    );
    Recommendation { binding: "fingerprint", why, template }
}
