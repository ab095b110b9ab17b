//! `nic.<interface>`: the addresses that physical network cards were made with.

use std::collections::BTreeMap;

use super::{
    reading::{RawValue, Reading},
    system::Machine,
};

const FOLDER: &str = "/sys/class/net";
const FAMILY: &str = "nic";
/// More cards than a request needs to name.
const CARDS_MAX: usize = 16;
/// `addr_assign_type` of an address that is the card's own (linux/netdevice.h, NET_ADDR_PERM).
const PERMANENT: &str = "0";

/// Every physical card; under the bare family where none can be seen.
pub(super) fn read(machine: &Machine) -> BTreeMap<String, Reading<RawValue>> {
    let interfaces = match machine.names(FOLDER) {
        Ok(interfaces) => interfaces,
        Err(error) => {
            let unreadable = match Reading::failed(FOLDER, &error) {
                Reading::Absent => Reading::Unreadable(format!("{FOLDER} is not there")),
                other => other,
            };
            return BTreeMap::from([(FAMILY.to_owned(), unreadable)]);
        }
    };
    let cards: BTreeMap<String, Reading<RawValue>> = interfaces
        .iter()
        .filter(|interface| is_physical(machine, interface))
        .take(CARDS_MAX)
        .map(|interface| (format!("{FAMILY}.{interface}"), address(machine, interface)))
        .collect();
    if cards.is_empty() {
        // In a network namespace of its own a process sees no card, and the machine has them still.
        let reason = "no physical network card is seen from here".to_owned();
        return BTreeMap::from([(FAMILY.to_owned(), Reading::Unreadable(reason))]);
    }
    cards
}

/// Whether there is a device behind it that is a card and not a slice of one.
fn is_physical(machine: &Machine, interface: &str) -> bool {
    let nameable = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
    interface.bytes().all(nameable)
        && machine.exists(&format!("{FOLDER}/{interface}/device"))
        && !machine.exists(&format!("{FOLDER}/{interface}/device/physfn"))
}

fn address(machine: &Machine, interface: &str) -> Reading<RawValue> {
    let file = |name: &str| format!("{FOLDER}/{interface}/{name}");
    // A card in a bond shows the bond's address, and its own here.
    if let Some(own) = machine.text(&file("bonding_slave/perm_hwaddr")) {
        return judge(&own);
    }
    if machine.text(&file("addr_assign_type")).is_some_and(|kind| kind != PERMANENT) {
        return Reading::Unreadable(
            "its address was set by software, the card's own is not shown".to_owned(),
        );
    }
    machine.value(&file("address")).and_then(|value| judge(value.danger_shown()))
}

fn judge(address: &str) -> Reading<RawValue> {
    let address = address.to_ascii_lowercase();
    let bytes: Option<Vec<u8>> = address
        .split(':')
        .map(|byte| (byte.len() == 2).then(|| u8::from_str_radix(byte, 16).ok()).flatten())
        .collect();
    match bytes.as_deref() {
        Some(bytes) if bytes.iter().all(|&byte| byte == 0) => {
            Reading::Ignored("its address is all zero".to_owned())
        }
        // IEEE 802: the second bit of the first byte says that no maker gave it.
        Some(&[first, _, _, _, _, _]) if first & 0b10 != 0 => {
            Reading::Ignored("its address is locally administered, not a maker's".to_owned())
        }
        Some([_, _, _, _, _, _]) => Reading::Read(RawValue::new(address)),
        _ => Reading::Ignored("it has no Ethernet address".to_owned()),
    }
}
