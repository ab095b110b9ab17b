//! DMI: what the firmware, or the hypervisor in its place, says of the machine.

use super::system::Machine;

const FOLDER: &str = "/sys/class/dmi/id";

/// One field's text; `None` where it is not there, not readable or empty.
pub(super) fn field(machine: &Machine, name: &str) -> Option<String> {
    machine.text(&path(name)).filter(|text| !text.is_empty())
}

pub(super) fn path(name: &str) -> String {
    format!("{FOLDER}/{name}")
}
