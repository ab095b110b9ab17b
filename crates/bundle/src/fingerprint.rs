//! Fingerprint: what a machine is known by, hashed and salted, and how much of it is still there.

use std::collections::{BTreeMap, BTreeSet};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How much of a hash is kept, in bytes: enough to tell machines apart, too little to be one's name.
const HASH_BYTES: usize = 8;

/// The hash of a machine's component as lower-case hex (`bundle.md` §7.2).
///
/// Of a name with a dot only its family is hashed: a network card that the system calls by another
/// name is the same card.
pub fn component_hash(salt: &[u8; 16], name: &str, value: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes a key of any length, RFC 2104");
    mac.update(component_family(name).as_bytes());
    mac.update(value);
    hex::encode(&mac.finalize().into_bytes()[..HASH_BYTES])
}

/// What stands before the first dot of a component's name; the whole name where it has none.
pub fn component_family(name: &str) -> &str {
    name.split_once('.').map_or(name, |(family, _)| family)
}

/// What has become of a component that a license is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComponentState {
    /// The machine has it.
    Same,
    /// The machine has another, or none.
    Changed,
    /// It can't be read: it counts as it was when it was read last.
    Unknown,
}

/// A binding beside a machine, for people (`bundle.md` §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Each component of the binding.
    pub components: BTreeMap<String, ComponentState>,
    /// Components that the machine has under another name of their family: bound name to found.
    pub renamed: BTreeMap<String, String>,
    /// How many of them must hold.
    pub required: u64,
    /// How many hold: those that are the same, and those last read as the same.
    pub holding: u64,
}

impl ComponentState {
    /// The state in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}

impl Comparison {
    /// Compares the components of a binding with a machine's. `unread` names those of the machine
    /// that can't be read now, or a whole family of them; where `machine` has one of these, it is
    /// the hash read last.
    pub(crate) fn new(
        bound: &BTreeMap<String, String>,
        required: u64,
        machine: &BTreeMap<String, String>,
        unread: &BTreeSet<String>,
    ) -> Self {
        let is_unread =
            |name: &str| unread.contains(name) || unread.contains(component_family(name));
        let pairs = pairs(bound, machine, is_unread);
        let state = |name: &str| match pairs.get(name) {
            Some(found) if !is_unread(found) => ComponentState::Same,
            Some(_) => ComponentState::Unknown,
            // One that was read as another before it could no longer be read has changed.
            None if is_unread(name) && !machine.contains_key(name) => ComponentState::Unknown,
            None => ComponentState::Changed,
        };
        let renamed = pairs.iter().filter(|(name, found)| name != found);
        Self {
            components: bound.keys().map(|name| (name.clone(), state(name))).collect(),
            renamed: renamed.map(|(&name, &found)| (name.to_owned(), found.to_owned())).collect(),
            required,
            holding: pairs.len() as u64,
        }
    }

    /// How many components of the binding are in a state.
    pub fn count(&self, state: ComponentState) -> u64 {
        self.components.values().filter(|&&other| other == state).count() as u64
    }

    /// Whether enough of them hold.
    pub const fn holds(&self) -> bool {
        self.holding >= self.required
    }

    /// How many more may change before the binding no longer holds; 0 where it does not.
    pub const fn bears(&self) -> u64 {
        self.holding.saturating_sub(self.required)
    }

    /// How many must come back before the binding holds; 0 where it does.
    pub const fn lacks(&self) -> u64 {
        self.required.saturating_sub(self.holding)
    }
}

/// Which component of the machine each bound one is: of its family, with its hash, and no
/// component of the machine is two. What can be read goes before what is remembered, and the own
/// name before another.
pub(crate) fn pairs<'a>(
    bound: &'a BTreeMap<String, String>,
    machine: &'a BTreeMap<String, String>,
    is_unread: impl Fn(&str) -> bool,
) -> BTreeMap<&'a str, &'a str> {
    let mut free: BTreeMap<&str, &str> =
        machine.iter().map(|(name, hash)| (name.as_str(), hash.as_str())).collect();
    let mut pairs = BTreeMap::new();
    for (unread, own_name) in [(false, true), (false, false), (true, true), (true, false)] {
        for (name, hash) in bound {
            if pairs.contains_key(name.as_str()) {
                continue;
            }
            let found = free.iter().find(|(other, other_hash)| {
                is_unread(other) == unread
                    && (*other == name) == own_name
                    && component_family(other) == component_family(name)
                    && *other_hash == hash
            });
            if let Some((&found, _)) = found {
                free.remove(found);
                pairs.insert(name.as_str(), found);
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use ComponentState::{Changed, Same, Unknown};

    const SALT: [u8; 16] = *b"0123456789abcdef";

    fn hashes(components: &[(&str, &str)]) -> BTreeMap<String, String> {
        let hash = |&(name, value): &(&str, &str)| {
            (name.to_owned(), component_hash(&SALT, name, value.as_bytes()))
        };
        components.iter().map(hash).collect()
    }

    fn compare(bound: &[(&str, &str)], machine: &[(&str, &str)], unread: &[&str]) -> Comparison {
        let unread = unread.iter().map(|&name| name.to_owned()).collect();
        Comparison::new(&hashes(bound), 2, &hashes(machine), &unread)
    }

    fn states(comparison: &Comparison) -> Vec<ComponentState> {
        comparison.components.values().copied().collect()
    }

    const BOUND: [(&str, &str); 4] =
        [("disk.root", "d"), ("machine_id", "m"), ("nic.eth0", "a"), ("nic.eth1", "b")];

    #[test]
    fn a_hash_is_the_first_8_bytes_of_an_hmac_over_family_and_value() {
        // printf 'machine_id%s' 8c2f… | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…0f
        let salt = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(
            component_hash(&salt, "machine_id", b"8c2f1c1d6a3e4b0f9d5e7a6b1c2d3e4f"),
            "a11f48587128e2fd"
        );
        assert_eq!(component_hash(&salt, "nic.eth0", b"02:00:00:00:00:01"), "72e592f72e9db18a");
    }

    #[test]
    fn only_the_family_of_a_name_is_hashed() {
        let of = |name| component_hash(&SALT, name, b"value");
        assert_eq!(of("nic.eth0"), of("nic.wlan0.100"));
        assert_eq!(of("nic.eth0"), of("nic"));
        assert_ne!(of("nic.eth0"), of("disk.root"));
        assert_ne!(of("nic.eth0"), component_hash(&[0; 16], "nic.eth0", b"value"));
    }

    #[test]
    fn a_renamed_or_reordered_interface_is_no_change() {
        let swapped =
            [("disk.root", "d"), ("machine_id", "m"), ("nic.eth0", "b"), ("nic.eth1", "a")];
        let comparison = compare(&BOUND, &swapped, &[]);
        assert_eq!(states(&comparison), [Same; 4]);
        assert_eq!(comparison.renamed["nic.eth0"], "nic.eth1");
        let renamed =
            [("disk.root", "d"), ("machine_id", "m"), ("nic.enp1s0", "a"), ("nic.eth1", "b")];
        assert_eq!(compare(&BOUND, &renamed, &[]).renamed["nic.eth0"], "nic.enp1s0");
    }

    #[test]
    fn a_component_of_the_machine_counts_once() {
        let twins = [("nic.eth0", "a"), ("nic.eth1", "a")];
        let comparison = compare(&twins, &[("nic.eth7", "a")], &[]);
        assert_eq!(comparison.holding, 1);
        assert_eq!(states(&comparison), [Same, Changed]);
        assert_eq!(compare(&twins, &[("nic.eth7", "a"), ("nic.eth8", "a")], &[]).holding, 2);
        // Another family is another thing, whatever its value.
        let disk = BTreeMap::from([("disk.root".to_owned(), component_hash(&SALT, "nic", b"a"))]);
        assert_eq!(Comparison::new(&hashes(&twins), 1, &disk, &BTreeSet::new()).holding, 0);
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_counts_as_it_was_read_last() {
        let comparison = compare(&BOUND, &BOUND, &["disk.root", "nic"]);
        assert_eq!(states(&comparison), [Unknown, Same, Unknown, Unknown]);
        assert_eq!((comparison.holding, comparison.bears()), (4, 2));
        // Nobody remembers it: unknown all the same, and nothing that holds.
        let comparison = compare(&BOUND, &BOUND[1..3], &["disk.root", "nic.eth1"]);
        assert_eq!(states(&comparison), [Unknown, Same, Same, Unknown]);
        assert_eq!((comparison.holding, comparison.bears(), comparison.holds()), (2, 0, true));
        // It had changed before.
        let changed = [("disk.root", "another"), ("machine_id", "m")];
        let comparison = compare(&BOUND, &changed, &["disk.root"]);
        assert_eq!(states(&comparison), [Changed, Same, Changed, Changed]);
        assert_eq!((comparison.lacks(), comparison.holds()), (1, false));
        assert_eq!(comparison.count(Changed), 3);
    }

    #[test]
    fn what_can_be_read_goes_before_what_is_remembered() {
        let machine = [("nic.enp1s0", "a"), ("nic.eth0", "a")];
        let comparison = compare(&[("nic.eth0", "a")], &machine, &["nic.eth0"]);
        assert_eq!(states(&comparison), [Same]);
        assert_eq!(comparison.renamed["nic.eth0"], "nic.enp1s0");
    }
}
