//! Report: what a rehearsal found.

use serde::Serialize;

use farhold_bundle::{KeyId, Positive};
use farhold_contract::Code;

use crate::issued::Customer;

/// A rehearsal, done.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsal {
    /// What happened, in one sentence.
    pub what: String,
    /// The key.
    pub key_id: KeyId,
    /// At how many sites in memory: one for each line and machine.
    pub sites: usize,
    /// Who is out of service, or would be with the recovering root alone.
    pub affected: Vec<Customer>,
    /// What is issued anew, in the order of the lines.
    pub reissue: Vec<Reissue>,
    /// Licenses known by the ledger alone: their entitlements were not rehearsed.
    pub stand_ins: usize,
    /// What to type, in order.
    pub steps: Vec<Step>,
    /// What was tried on every site, and how often it held.
    pub proofs: Vec<Proof>,
    /// Whether a recovery exists: a root that nobody can sign has none.
    pub recovers: bool,
}

/// A license that is issued anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reissue {
    /// Whose license it is, as it was issued.
    pub customer: Customer,
    /// The serial to issue it as.
    pub as_serial: Positive,
}

/// One step of a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done.
    pub what: String,
    /// What is typed; empty where nothing is.
    pub commands: Vec<String>,
}

/// A claim, tried on every site in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// What is claimed.
    pub claim: &'static str,
    /// At how many sites it held.
    pub held: usize,
    /// Where it did not, with what was said there.
    pub failed: Vec<Failure>,
}

/// A site at which a claim did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Whose site.
    pub customer: Customer,
    /// The code that the site answered with, where it refused something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What happened there.
    pub what: String,
}

impl Rehearsal {
    /// Whether every claim held at every site.
    pub fn holds(&self) -> bool {
        self.recovers && self.proofs.iter().all(|proof| proof.failed.is_empty())
    }
}

impl Proof {
    pub(super) const fn of(claim: &'static str) -> Self {
        Self { claim, held: 0, failed: Vec::new() }
    }

    /// Those that were tried at all.
    pub(super) fn tried(proofs: impl IntoIterator<Item = Self>) -> Vec<Self> {
        proofs.into_iter().filter(|proof| proof.held + proof.failed.len() > 0).collect()
    }

    pub(super) fn record(&mut self, customer: &Customer, found: Result<(), Trouble>) {
        match found {
            Ok(()) => self.held += 1,
            Err(Trouble { code, what }) => {
                self.failed.push(Failure { customer: customer.clone(), code, what });
            }
        }
    }
}

/// Why a claim did not hold at a site.
pub(super) struct Trouble {
    pub(super) code: Option<Code>,
    pub(super) what: String,
}

impl Trouble {
    pub(super) fn of(what: impl Into<String>) -> Self {
        Self { code: None, what: what.into() }
    }
}

impl Step {
    pub(super) fn new(what: impl Into<String>, commands: impl IntoIterator<Item = String>) -> Self {
        Self { what: what.into(), commands: commands.into_iter().collect() }
    }
}
