//! Contract: what a ledger knows of one license across its serials.

use std::collections::BTreeMap;

use farhold_bundle::{Positive, PublicKey, Whole};
use farhold_contract::{Sha256Digest, Timestamp, id::LicenseId};

use crate::{
    act::{Kind, Release},
    bound::{Bound, DeviceKey, Move},
    issue::Issue,
};

/// One license across its serials.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The contract's id.
    pub license_id: LicenseId,
    /// Its highest serial, as it was signed last.
    pub newest: Issue,
    /// Every signing of it, in the order of the ledger.
    pub revisions: Vec<Revision>,
    /// Every move to another machine, in the order of the ledger.
    pub rehosts: Vec<Rehost>,
    /// Every machine that gave it up, and when that was entered.
    pub releases: Vec<(Timestamp, Release)>,
    last_machine: Option<(Positive, Bound)>,
    rehosts_per_year: Option<Whole>,
}

/// When a license was signed, and by what kind of entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signing {
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) at: Timestamp,
}

/// One signing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The entry that says so.
    pub seq: u64,
    /// What kind of entry it is.
    pub kind: Kind,
    /// When it was entered.
    pub at: Timestamp,
    /// The serial.
    pub serial: Positive,
    /// When it was issued, as the license says.
    pub issued_at: Timestamp,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
    /// The agent that it was for, where that is known.
    pub device_key: Option<DeviceKey>,
}

/// One move to another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehost {
    /// When it was entered.
    pub at: Timestamp,
    /// The serial.
    pub serial: Positive,
    /// The agent it was moved to, where that is known.
    pub device_key: Option<DeviceKey>,
}

impl Contract {
    /// With its first signing.
    pub(crate) fn begin(signing: Signing, issue: Issue) -> Self {
        let mut contract = Self {
            license_id: issue.license_id,
            newest: issue,
            revisions: Vec::with_capacity(1),
            rehosts: Vec::new(),
            releases: Vec::new(),
            last_machine: None,
            rehosts_per_year: None,
        };
        contract.revise(signing, None);
        contract
    }

    /// Takes one more signing in.
    pub(crate) fn take(&mut self, signing: Signing, issue: Issue) {
        if issue.serial >= self.newest.serial {
            self.newest = issue;
            self.revise(signing, None);
        } else {
            self.revise(signing, Some(issue));
        }
    }

    /// Notes a signing: of the newest serial, or of an older one.
    fn revise(&mut self, signing: Signing, older: Option<Issue>) {
        let issue = older.as_ref().unwrap_or(&self.newest);
        let is_move = self.is_move(signing.kind, issue);
        // What was signed without the ledger came without its template: it says no budget.
        let says_budget = matches!(signing.kind, Kind::Issued | Kind::Rehosted);
        if older.is_none() && (says_budget || issue.rehosts_per_year.is_some()) {
            self.rehosts_per_year = issue.rehosts_per_year;
        }
        self.revisions.push(Revision {
            seq: signing.seq,
            kind: signing.kind,
            at: signing.at,
            serial: issue.serial,
            issued_at: issue.issued_at,
            sha256: issue.sha256,
            device_key: issue.bound.as_ref().and_then(Bound::device_key),
        });
        if is_move {
            self.rehosts.push(Rehost {
                at: signing.at,
                serial: issue.serial,
                device_key: issue.bound.as_ref().and_then(Bound::device_key),
            });
        }
        if let Some(bound) = issue.bound.as_ref().filter(|bound| bound.is_to_a_machine())
            && self.last_machine.as_ref().is_none_or(|(serial, _)| issue.serial >= *serial)
        {
            self.last_machine = Some((issue.serial, bound.clone()));
        }
    }

    /// Whether a signing moved it to another machine (`specs/ledger.md` §5.5). Whoever wrote `issued`
    /// or `rehosted` had the request at hand and says which it is; of what was signed without the
    /// ledger nobody has, and the binding tells. One license is one move, however often it is met.
    fn is_move(&self, kind: Kind, issue: &Issue) -> bool {
        match (kind, &issue.bound) {
            (Kind::Rehosted, _) => true,
            (Kind::BreakGlass | Kind::Entered, Some(bound)) => {
                self.move_by(bound) == Move::Rehost && !self.has(issue.serial, issue.sha256)
            }
            _ => false,
        }
    }

    pub(crate) fn release(&mut self, at: Timestamp, release: Release) {
        self.releases.push((at, release));
    }

    /// How often in a year it may be moved, as its newest entry with a template says.
    pub const fn rehosts_per_year(&self) -> Option<Whole> {
        self.rehosts_per_year
    }

    /// How often it was moved after an instant.
    pub fn rehosts_since(&self, since: Timestamp) -> usize {
        self.rehosts.iter().filter(|rehost| rehost.at > since).count()
    }

    /// The machine that it was bound to last, if it ever was.
    pub fn machine(&self) -> Option<&Bound> {
        self.last_machine.as_ref().map(|(_, bound)| bound)
    }

    /// Whether this machine has it to give up: what was signed last is for it or for any machine, or
    /// an earlier serial was for this very agent.
    pub fn is_held_by(
        &self,
        device_key: &PublicKey,
        components: &BTreeMap<String, String>,
    ) -> bool {
        let of_this_agent =
            |revision: &Revision| revision.device_key.is_some_and(|agent| agent.is(device_key));
        match &self.newest.bound {
            Some(bound) if bound.is_to_a_machine() => {
                bound.is_for(device_key, components) || self.revisions.iter().any(of_this_agent)
            }
            _ => true,
        }
    }

    /// What it would be to issue it for this machine. A serial without a binding in between does
    /// not make the next one a first activation.
    pub fn move_to(&self, device_key: &PublicKey, components: &BTreeMap<String, String>) -> Move {
        match self.machine() {
            None => Move::First,
            Some(bound) if bound.is_for(device_key, components) => Move::Same,
            Some(_) => Move::Rehost,
        }
    }

    /// What it would be to issue it with this binding, where no machine has shown itself. Without a
    /// machine it is no move.
    pub fn move_by(&self, to: &Bound) -> Move {
        match self.machine() {
            _ if !to.is_to_a_machine() => Move::Same,
            None => Move::First,
            Some(bound) if bound.is_the_machine_of(to) => Move::Same,
            Some(_) => Move::Rehost,
        }
    }

    /// Whether it was signed in this serial with this payload.
    pub fn has(&self, serial: Positive, sha256: Sha256Digest) -> bool {
        let is = |revision: &Revision| revision.serial == serial && revision.sha256 == sha256;
        self.revisions.iter().any(is)
    }
}
