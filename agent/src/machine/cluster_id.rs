//! `cluster_id`: the Kubernetes cluster, which only the configuration can tell without a network.

use super::{
    reading::{RawValue, Reading},
    system::Machine,
};

pub(super) fn read(machine: &Machine) -> Reading<RawValue> {
    match machine.cluster_id() {
        Some(id) => Reading::Read(RawValue::new(id.to_ascii_lowercase())),
        None => Reading::Absent,
    }
}
