//! Machine state: what is known of the machine, as of one look.

use std::collections::{BTreeMap, BTreeSet};

use farhold_bundle::component_family;
use farhold_contract::{Timestamp, call::heartbeat::ReportedFingerprint, id::IssuerId};

use super::{
    environment::Environment,
    look::Look,
    memory::{Memory, Presence},
    reading::Reading,
};

/// What is known of the machine, as of one look. It holds no raw value.
#[derive(Debug, Clone)]
pub struct MachineState {
    /// What is kept.
    pub memory: Memory,
    /// What the look came to, by component or by family where none of it could be read.
    pub readings: BTreeMap<String, Reading<()>>,
    /// The processor's model: shown, never counted.
    pub cpu_model: Option<String>,
    /// What kind of machine it seems to be.
    pub environment: Environment,
    /// When the look was, by the agent's own time.
    pub looked_at: Timestamp,
}

/// What a look brought.
pub struct Observed {
    /// What is known now.
    pub state: MachineState,
    /// Components that are others than before, or gone.
    pub changed: Vec<String>,
}

impl MachineState {
    /// Takes a look in.
    pub fn observe(
        memory: Memory,
        issuer: Option<IssuerId>,
        look: &Look,
        at: Timestamp,
    ) -> Observed {
        let mut memory = memory.of_issuer(issuer);
        let changed = memory.take(look, at);
        let readings: BTreeMap<String, Reading<()>> = look
            .readings
            .iter()
            .map(|(name, reading)| (name.clone(), reading.clone().map(drop)))
            .collect();
        let state = Self {
            memory,
            readings,
            cpu_model: look.cpu_model.clone(),
            environment: look.environment.clone(),
            looked_at: at,
        };
        Observed { state, changed }
    }

    /// Whether it says what another says, whenever each was looked at.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let Self { memory, readings, cpu_model, environment, looked_at: _ } = self;
        *memory == other.memory
            && *readings == other.readings
            && *cpu_model == other.cpu_model
            && *environment == other.environment
    }

    /// What licenses are held to.
    pub fn fingerprint(&self) -> BTreeMap<String, String> {
        self.memory.fingerprint()
    }

    /// The components that count without having been read, each with since when that is so.
    pub fn remembered(&self) -> BTreeMap<String, Timestamp> {
        self.memory.remembered()
    }

    /// Components, or whole families, that are unknown now: what they were counts.
    pub fn unread(&self) -> BTreeSet<String> {
        let not_read = self
            .readings
            .iter()
            .filter(|(_, reading)| matches!(reading, Reading::Unreadable(_) | Reading::Ignored(_)))
            .map(|(name, _)| name.clone());
        let missing = self
            .memory
            .components
            .iter()
            .filter(|(name, known)| {
                known.presence != Presence::Gone
                    && !matches!(self.readings.get(*name), Some(Reading::Read(())))
            })
            .map(|(name, _)| name.clone());
        not_read.chain(missing).collect()
    }

    /// The machine as a heartbeat says it (contract v0.2 §7).
    pub fn reported(&self) -> ReportedFingerprint {
        ReportedFingerprint {
            salt: self.memory.salt.to_string(),
            components: self.fingerprint(),
            remembered: self.remembered(),
        }
    }

    /// Says of each component that tells no machine from another what is wrong with it, unless an
    /// earlier look has said so.
    pub fn warn_of_ignored(&self, before: Option<&Self>) {
        for (name, reading) in &self.readings {
            let Reading::Ignored(reason) = reading else { continue };
            if before.is_none_or(|before| before.readings.get(name) != Some(reading)) {
                tracing::warn!(component = %name, %reason, "a component of the machine is not counted");
            }
        }
    }
}

/// The component of a fingerprint that a person means: `nic.eth0`, `eth0`, or `disk`.
pub fn component_named(meant: &str, fingerprint: &BTreeMap<String, String>) -> Option<String> {
    if fingerprint.contains_key(meant) {
        return Some(meant.to_owned());
    }
    let named = |name: &&String| {
        name.split_once('.').is_some_and(|(_, own)| own == meant) || component_family(name) == meant
    };
    let mut found = fingerprint.keys().filter(named);
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}
