//! What requests read: immutable, swapped whole by the owner after a commit.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;

use farhold_api::{FlagsMemo, Holder, Principal};
use farhold_audit::{ChainPosition, Redaction};
use farhold_bundle::{SetAside, SiteFacts, Standing};
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{LicenseId, RuntimeId, TenantId, TokenId},
};
use farhold_policy::{
    ClockReading, ClockState, Counter, Now, PolicyState, RuntimeFacts, WallStanding,
};
use farhold_store::{RuntimeRow, TokenRow};

use crate::{kernel_word::KernelWord, machine::MachineState};

/// One state of the site, as of one commit.
#[derive(Clone)]
pub struct Snapshot {
    /// What the vendor has signed.
    pub documents: Arc<Documents>,
    /// What the site is, as licenses are held to it.
    pub facts: Arc<SiteFacts>,
    /// The machine under it, as it was last looked at.
    pub machine: Arc<MachineState>,
    /// What the Kernel has taken away.
    pub word: Arc<KernelWord>,
    /// Who may ask.
    pub registry: Arc<Registry>,
    /// What has been used.
    pub usage: Arc<UsageBoard>,
    /// The agent's own time.
    pub clock: ClockState,
    /// The last record and its head.
    pub chain: ChainPosition,
    /// The last record receipted.
    pub acknowledged_seq: u64,
}

/// What the vendor has signed, and what follows from it.
pub struct Documents {
    /// Every document.
    pub standing: Standing,
    /// What decides.
    pub policy: PolicyState,
    /// The latest date that a document proves to have passed.
    pub floor: Timestamp,
    /// What the last clock reset has set aside: it proves no date.
    pub set_aside: SetAside,
    /// What must not be kept of each organization's events, where its licenses say so.
    pub redactions: BTreeMap<TenantId, Redaction>,
    /// Licenses that stand but can't be in force at this site, with the reason.
    pub not_admitted: BTreeMap<(LicenseId, u64), NotAdmitted>,
    /// What products were told of their flags.
    pub flags: FlagsMemo,
}

/// Why a license that stands can't be in force at this site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAdmitted {
    /// The code.
    pub code: Code,
    /// What is wrong, with this site's own words.
    pub detail: String,
}

/// Tokens and the runtimes registered with them.
#[derive(Clone, Default)]
pub struct Registry {
    principals: HashMap<Sha256Digest, Principal>,
    tokens: BTreeMap<TokenId, TokenRow>,
    runtimes: HashMap<RuntimeId, Arc<RuntimeFacts>>,
    rows: BTreeMap<RuntimeId, RuntimeRow>,
}

/// The counters as of the last commit, each in a cell that a look-only check reads without a lock.
#[derive(Default, Clone)]
pub struct UsageBoard {
    cells: HashMap<String, Arc<ArcSwap<Counter>>>,
}

impl Snapshot {
    /// The time by which licenses are judged (`bundle.md` §5).
    pub fn now(&self, reading: &ClockReading) -> Now {
        self.clock.now(reading, self.documents.floor)
    }

    /// Where the system clock stands to it.
    pub fn wall_standing(&self, reading: &ClockReading) -> WallStanding {
        self.clock.wall_standing(reading, self.documents.floor)
    }
}

impl Documents {
    /// Works out what follows from the documents at this site.
    pub fn new(standing: Standing, site: &SiteFacts, set_aside: SetAside) -> Self {
        let mut not_admitted = BTreeMap::new();
        let mut admitted = Vec::new();
        let mut barred = Vec::new();
        for license in standing.licenses() {
            match site.admits(license) {
                Ok(()) => admitted.push(license),
                Err(reason) => {
                    let code = reason.code();
                    barred.push((license, code));
                    let why = NotAdmitted { code, detail: reason.to_string() };
                    not_admitted.insert((license.license_id, license.serial.as_u64()), why);
                }
            }
        }
        let policy = PolicyState::with_barred(admitted, barred, standing.revocations());
        let floor = standing.floor(&set_aside);
        let redactions = redactions(&standing);
        let flags = FlagsMemo::default();
        Self { standing, policy, floor, set_aside, redactions, not_admitted, flags }
    }
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

fn redactions(standing: &Standing) -> BTreeMap<TenantId, Redaction> {
    let mut pointers: BTreeMap<TenantId, Vec<String>> = BTreeMap::new();
    for license in standing.licenses().iter().filter(|license| !license.audit.redact.is_empty()) {
        pointers
            .entry(license.tenant.tenant_id)
            .or_default()
            .extend_from_slice(&license.audit.redact);
    }
    pointers
        .into_iter()
        .map(|(tenant_id, pointers)| (tenant_id, Redaction::new(&pointers)))
        .collect()
}

impl Registry {
    /// Takes over what the store holds.
    pub fn new(tokens: Vec<TokenRow>, runtimes: Vec<RuntimeRow>) -> Self {
        let mut registry = Self::default();
        for token in tokens {
            registry.put_token(token);
        }
        for runtime in runtimes {
            registry.put_runtime(runtime);
        }
        registry
    }

    /// Adds a token, or replaces it by its revoked self.
    pub fn put_token(&mut self, token: TokenRow) {
        if token.revoked_at.is_some() {
            self.principals.remove(&token.hash);
        } else {
            let runtime_id = self.runtime_of(token.token_id).map(|row| row.runtime_id);
            let holder =
                Holder::Runtime { token_id: token.token_id, runtime_type: token.runtime_type };
            let principal = Principal { holder, tenant_id: token.tenant_id, runtime_id };
            self.principals.insert(token.hash, principal);
        }
        self.tokens.insert(token.token_id, token);
    }

    /// Adds a runtime, or replaces what it said of itself.
    pub fn put_runtime(&mut self, row: RuntimeRow) {
        let Some(token) = self.tokens.get(&row.token_id) else { return };
        if let Some(principal) = self.principals.get_mut(&token.hash) {
            principal.runtime_id = Some(row.runtime_id);
        }
        let facts = RuntimeFacts {
            runtime_id: row.runtime_id,
            runtime_type: token.runtime_type,
            version: row.version.clone(),
            released_on: row.released_on,
        };
        self.runtimes.insert(row.runtime_id, Arc::new(facts));
        self.rows.insert(row.runtime_id, row);
    }

    /// Who holds the token with this hash. Comparing hashes leaks nothing about the token.
    pub fn principal(&self, hash: &Sha256Digest) -> Option<&Principal> {
        self.principals.get(hash)
    }

    /// What a runtime said of itself.
    pub fn runtime(&self, id: RuntimeId) -> Option<&Arc<RuntimeFacts>> {
        self.runtimes.get(&id)
    }

    /// The runtime that a token became.
    pub fn runtime_of(&self, token: TokenId) -> Option<&RuntimeRow> {
        self.rows.values().find(|row| row.token_id == token)
    }

    /// One token.
    pub fn token(&self, id: TokenId) -> Option<&TokenRow> {
        self.tokens.get(&id)
    }

    /// Every token.
    pub fn tokens(&self) -> impl Iterator<Item = &TokenRow> {
        self.tokens.values()
    }

    /// Every runtime, with what it said of itself.
    pub fn runtimes(&self) -> impl Iterator<Item = (&RuntimeRow, &Arc<RuntimeFacts>)> {
        self.rows.values().filter_map(|row| Some((row, self.runtimes.get(&row.runtime_id)?)))
    }

    /// One runtime, with what it said of itself.
    pub fn registered(&self, id: RuntimeId) -> Option<(&RuntimeRow, &Arc<RuntimeFacts>)> {
        Some((self.rows.get(&id)?, self.runtimes.get(&id)?))
    }

    /// How many runtimes are registered.
    pub fn runtime_count(&self) -> usize {
        self.rows.len()
    }
}

impl UsageBoard {
    /// Takes over what the store holds.
    pub fn new<'a>(counters: impl Iterator<Item = (&'a str, Counter)>) -> Self {
        let cell = |(key, counter): (&str, Counter)| {
            (key.to_owned(), Arc::new(ArcSwap::from_pointee(counter)))
        };
        Self { cells: counters.map(cell).collect() }
    }

    /// What has been used, as of the last commit.
    pub fn read(&self, key: &str) -> Option<Counter> {
        self.cells.get(key).map(|cell| **cell.load())
    }

    /// Publishes a counter into its cell; `false` if it has none yet.
    pub fn publish(&self, key: &str, counter: Counter) -> bool {
        let Some(cell) = self.cells.get(key) else { return false };
        cell.store(Arc::new(counter));
        true
    }

    /// Gives a counter its cell: once in the counter's life.
    pub fn add(&mut self, key: &str, counter: Counter) {
        self.cells.insert(key.to_owned(), Arc::new(ArcSwap::from_pointee(counter)));
    }
}
