//! `machine_id`: what the installation of the operating system calls itself (machine-id(5)).

use super::{
    reading::{RawValue, Reading, is_one_digit},
    system::Machine,
};

const FILE: &str = "/etc/machine-id";
/// Where D-Bus keeps it on systems without systemd.
const OLD_FILE: &str = "/var/lib/dbus/machine-id";

/// Values seen on more than one machine for a known reason. The list can't be whole: any image
/// that was made from a running system carries that system's id.
const SHARED: [&str; 2] = [
    // MD5 of nothing, from scripts that hash an empty input.
    "d41d8cd98f00b204e9800998ecf8427e",
    // Counted up by hand.
    "0123456789abcdef0123456789abcdef",
];

pub(super) fn read(machine: &Machine) -> Reading<RawValue> {
    let read = match machine.value(FILE) {
        Reading::Absent => machine.value(OLD_FILE),
        found => found,
    };
    read.and_then(judge)
}

fn judge(value: RawValue) -> Reading<RawValue> {
    let text = value.danger_shown().to_ascii_lowercase();
    let ignored = |reason: &str| Reading::Ignored(format!("the machine-id {reason}"));
    match text.as_str() {
        "" => ignored("is empty; systemd-machine-id-setup makes one"),
        "uninitialized" => ignored("is not made yet; it is at the end of the first boot"),
        _ if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            ignored("is not 32 hexadecimal digits")
        }
        _ if is_one_digit(&text) || SHARED.contains(&text.as_str()) => ignored(
            "is one that many machines share; remove the file and run systemd-machine-id-setup",
        ),
        _ => Reading::Read(RawValue::new(text)),
    }
}
