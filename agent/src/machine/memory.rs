//! Memory: each component's hash as it was read last, and since when that is so.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use farhold_bundle::{LIMITS, component_family, component_hash};
use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId},
};

use super::{look::Look, reading::Reading, salt::Salt};

/// What is no longer there counts as changed after this: a card whose driver comes late in a boot,
/// or one that is plugged to another port, is no other machine.
const GONE_AFTER: Duration = Duration::from_secs(15 * 60);

/// As many as a request and a binding may have (`bundle.md` §7.1), and more than any machine has at
/// one time: a look reads 21 at most.
const KNOWN_MAX: usize = LIMITS.components;

/// What is kept of a machine: no raw value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// For whose trust root it is; none before a root is installed, whose issuer then takes it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<IssuerId>,
    /// What the hashes are salted with.
    pub salt: Salt,
    /// Each component by its name.
    pub components: BTreeMap<String, Known>,
    /// Licenses of which it was told that they hold by what is remembered, and not by what is read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub held_by_memory: BTreeSet<LicenseId>,
}

/// One component as it was read last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The first 8 bytes of its salted hash, as lower-case hex.
    pub hash: String,
    /// When it was seen first, by the agent's own time.
    pub first_seen: Timestamp,
    /// When it was last found to be another than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "Presence::is_there")]
    pub presence: Presence,
    /// Since when looks have come to nothing of it, by the agent's own time; none if the last one
    /// read it, or if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_since: Option<Timestamp>,
}

/// Whether a component is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is, or it can't be read.
    #[default]
    There,
    /// It has not been since then; that is not long.
    MissingSince(Timestamp),
    /// It is gone: as good as changed.
    Gone,
}

impl Presence {
    const fn is_there(&self) -> bool {
        matches!(self, Self::There)
    }
}

impl Memory {
    /// A machine of which nothing is known.
    pub fn new(issuer: Option<IssuerId>) -> Self {
        Self {
            issuer,
            salt: Salt::random(),
            components: BTreeMap::new(),
            held_by_memory: BTreeSet::new(),
        }
    }

    /// The memory for an issuer: the same, unless it was made for another one.
    #[must_use]
    pub fn of_issuer(self, issuer: Option<IssuerId>) -> Self {
        match (self.issuer, issuer) {
            (Some(known), Some(issuer)) if known != issuer => Self::new(Some(issuer)),
            (known, issuer) => Self { issuer: known.or(issuer), ..self },
        }
    }

    /// Takes in a look at the machine; returns the names of the components that have changed.
    pub fn take(&mut self, look: &Look, at: Timestamp) -> Vec<String> {
        let mut changed = Vec::new();
        let mut read_now = Vec::new();
        for (name, reading) in &look.readings {
            let Reading::Read(value) = reading else { continue };
            let hash = component_hash(self.salt.as_bytes(), name, value.danger_shown().as_bytes());
            read_now.push((name.as_str(), hash.clone()));
            match self.components.get_mut(name) {
                None => {
                    let known = Known {
                        hash,
                        first_seen: at,
                        changed_at: None,
                        presence: Presence::There,
                        unread_since: None,
                    };
                    self.components.insert(name.clone(), known);
                }
                Some(known) => {
                    if known.hash != hash || known.presence == Presence::Gone {
                        known.changed_at = Some(at);
                        changed.push(name.clone());
                    }
                    known.hash = hash;
                    known.presence = Presence::There;
                }
            }
        }
        changed.extend(self.miss(look, &read_now, at));
        self.note_unread(&read_now, at);
        self.forget_the_oldest();
        changed
    }

    /// The components that count, each with its hash: what is there, and what it was when it could
    /// last be read.
    pub fn fingerprint(&self) -> BTreeMap<String, String> {
        self.components
            .iter()
            .filter(|(_, known)| known.presence != Presence::Gone)
            .map(|(name, known)| (name.clone(), known.hash.clone()))
            .collect()
    }

    /// The components that count without having been read, each with since when that is so: a copy
    /// of this memory elsewhere would count them, too.
    pub fn remembered(&self) -> BTreeMap<String, Timestamp> {
        self.components
            .iter()
            .filter_map(|(name, known)| Some((name.clone(), known.unread_since?)))
            .collect()
    }

    /// What the look found neither there nor kept from it.
    fn miss(&mut self, look: &Look, read_now: &[(&str, String)], at: Timestamp) -> Vec<String> {
        let mut gone = Vec::new();
        self.components.retain(|name, known| {
            let unknown = |name: &str| {
                matches!(
                    look.readings.get(name),
                    Some(Reading::Unreadable(_) | Reading::Ignored(_))
                )
            };
            let was_read = read_now.iter().any(|(read, _)| read == name);
            if was_read || unknown(name) || unknown(component_family(name)) {
                if let (false, Presence::MissingSince(_)) = (was_read, known.presence) {
                    // Whether it is there can't be told any more.
                    known.presence = Presence::There;
                }
                return true;
            }
            let elsewhere = read_now.iter().any(|(read, hash)| {
                component_family(read) == component_family(name) && *hash == known.hash
            });
            if elsewhere {
                // The same component under another name.
                return false;
            }
            match known.presence {
                Presence::There => known.presence = Presence::MissingSince(at),
                // The agent's own time was set right meanwhile: it is missing since now.
                Presence::MissingSince(since) if at < since => {
                    known.presence = Presence::MissingSince(at);
                }
                Presence::MissingSince(since) if at.saturating_since(since) >= GONE_AFTER => {
                    known.presence = Presence::Gone;
                    known.changed_at = Some(since);
                    gone.push(name.clone());
                }
                Presence::MissingSince(_) | Presence::Gone => {}
            }
            true
        });
        gone
    }

    /// Notes since when the look, and those before it, read nothing of what still counts.
    fn note_unread(&mut self, read_now: &[(&str, String)], at: Timestamp) {
        for (name, known) in &mut self.components {
            let was_read = read_now.iter().any(|(read, _)| read == name);
            known.unread_since = match known.unread_since {
                _ if was_read || known.presence == Presence::Gone => None,
                // Later than now: the agent's own time was set right meanwhile.
                Some(since) if since <= at => Some(since),
                _ => Some(at),
            };
        }
    }

    /// Keeps to [`KNOWN_MAX`]: what is gone longest goes first, then what was not read for longest,
    /// then what comes last by its name.
    fn forget_the_oldest(&mut self) {
        while self.components.len() > KNOWN_MAX {
            let rank = |name: &str, known: &Known| match (known.presence, known.unread_since) {
                (Presence::Gone, _) => (0, known.changed_at, Reverse(name.to_owned())),
                (_, since @ Some(_)) => (1, since, Reverse(name.to_owned())),
                (_, None) => (2, None, Reverse(name.to_owned())),
            };
            let first = self.components.iter().min_by_key(|(name, known)| rank(name, known));
            let Some(name) = first.map(|(name, _)| name.clone()) else { return };
            self.components.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Environment, Surroundings, reading::RawValue};

    /// A look at a machine that has these cards.
    fn look(cards: &[&str]) -> Look {
        let card = |name: &&str| {
            let address = Reading::Read(RawValue::new(format!("address of {name}")));
            (format!("nic.{name}"), address)
        };
        let environment = Environment { kind: Surroundings::BareMetal, signs: Vec::new() };
        Look { readings: cards.iter().map(card).collect(), cpu_model: None, environment }
    }

    #[test]
    fn what_is_missing_when_the_own_time_is_set_back_is_gone_after_its_while_all_the_same() {
        let (ahead, right) = (Timestamp::from_ms(1 << 42), Timestamp::from_ms(1 << 40));
        let mut memory = Memory::new(None);
        memory.take(&look(&["eth0", "eth1"]), ahead);
        memory.take(&look(&["eth0"]), ahead);
        assert_eq!(memory.take(&look(&["eth0"]), right), [] as [&str; 0], "it counts for a while");
        assert_eq!(memory.take(&look(&["eth0"]), right + GONE_AFTER), ["nic.eth1"]);
        assert!(!memory.fingerprint().contains_key("nic.eth1"));
    }

    #[test]
    fn what_is_not_read_is_remembered_since_the_first_look_that_did_not_read_it() {
        let at = |minute: u64| Timestamp::from_ms(1 << 40) + Duration::from_secs(60 * minute);
        let hidden = |name: &str| {
            let mut look = look(&["eth1"]);
            look.readings.insert(name.to_owned(), Reading::Unreadable("hidden".to_owned()));
            look
        };
        let mut memory = Memory::new(None);
        memory.take(&look(&["eth0", "eth1"]), at(0));
        assert_eq!(memory.remembered(), BTreeMap::new());
        memory.take(&hidden("nic.eth0"), at(5));
        memory.take(&hidden("nic.eth0"), at(10));
        let since = |minute| BTreeMap::from([("nic.eth0".to_owned(), at(minute))]);
        assert_eq!(memory.remembered(), since(5), "and what is read is not");
        memory.take(&hidden("nic.eth0"), at(2));
        assert_eq!(memory.remembered(), since(2), "the own time was set right: never in future");
        memory.take(&look(&["eth0", "eth1"]), at(15));
        assert_eq!(memory.remembered(), BTreeMap::new(), "read again");
        // What is missing counts for a while, and no longer once it is gone.
        memory.take(&look(&["eth1"]), at(20));
        assert_eq!(memory.remembered(), since(20));
        memory.take(&look(&["eth1"]), at(40));
        assert_eq!(memory.remembered(), BTreeMap::new());
        assert!(!memory.fingerprint().contains_key("nic.eth0"));
    }

    #[test]
    fn a_memory_written_before_there_was_more_to_remember_is_read() {
        let old = r#"{"salt":"000102030405060708090a0b0c0d0e0f","components":{"machine_id":
            {"hash":"0011223344556677","first_seen":"2026-01-01T00:00:00Z"}}}"#;
        let memory: Memory = serde_json::from_str(old).unwrap();
        assert_eq!(memory.components["machine_id"].unread_since, None);
        assert_eq!(memory.held_by_memory, BTreeSet::new());
        let again = serde_json::to_string(&memory).unwrap();
        assert!(!again.contains("unread_since") && !again.contains("held_by_memory"), "{again}");
    }

    #[test]
    fn another_issuer_gets_a_salt_of_its_own_and_the_first_one_takes_over_what_is_there() {
        let issuer =
            |last: u8| format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d3e{last:02x}").parse().ok();
        let known = Memory::new(None);
        let first = known.clone().of_issuer(issuer(1));
        assert_eq!((first.salt, first.issuer), (known.salt, issuer(1)));
        assert_eq!(first.clone().of_issuer(None), first, "a root that can't be read costs nothing");
        assert_eq!(first.clone().of_issuer(issuer(1)), first);
        assert_ne!(first.clone().of_issuer(issuer(2)).salt, first.salt);
    }

    #[test]
    fn no_more_is_known_than_a_request_may_name_whatever_came_and_went() {
        let at = |minute: u64| Timestamp::from_ms(1 << 40) + Duration::from_secs(60 * minute);
        let names = |from: usize, to: usize| -> Vec<String> {
            (from..to).map(|card| format!("e{card:03}")).collect()
        };
        let look_at =
            |names: &[String]| look(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let known = |memory: &Memory| memory.fingerprint().into_keys().collect::<Vec<_>>();
        let cards = |from, to| {
            names(from, to).into_iter().map(|name| format!("nic.{name}")).collect::<Vec<_>>()
        };
        // Cards that are never there together, none of them missing for long enough to be gone.
        let mut memory = Memory::new(None);
        for minute in 0..10_u64 {
            let first = minute as usize * 16;
            memory.take(&look_at(&names(first, first + 16)), at(minute));
            assert!(memory.fingerprint().len() <= KNOWN_MAX);
        }
        assert_eq!(known(&memory), cards(96, 160), "those not seen for longest are forgotten");
        // More than there can be: the same ones each time.
        let mut memory = Memory::new(None);
        memory.take(&look_at(&names(0, 100)), at(0));
        memory.take(&look_at(&names(0, 100)), at(1));
        assert_eq!(known(&memory), cards(0, 64));
    }
}
