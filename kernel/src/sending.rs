//! Sending: which documents a site is sent (decision 0032).
//!
//! A site takes a bundle whole or not at all: one line that it can't take would keep every other
//! from it. So it is sent what it can take, by what it reported last, and nothing else.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use farhold_bundle::{
    Envelope, LIMITS, LineKey, Role, SiteFacts, Standing, TrustRoot, Verified,
    payload::{License, SiteMode},
};
use farhold_contract::{Sha256Digest, Timestamp, id::TenantId};

use crate::{
    documents::Documents,
    storage::{AgentFacts, Reported},
};

/// Bundles kept ready: as many different selections as sites are likely to have. One beyond it is
/// made again each time.
const KEPT_BUNDLES: usize = 1024;

/// Why a license is sent to no site, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBack {
    /// It is revoked.
    Revoked,
    /// It is for sites without a link alone.
    Detached,
    /// It is signed by a key that the root in force does not list: who has it keeps it, nobody else
    /// can take it.
    KeyRotated,
    /// It needs a root or revocations that no site can be brought to.
    NeedsUnmet,
}

impl HeldBack {
    /// Why, for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Detached => "for detached sites alone: carry it there",
            Self::KeyRotated => {
                "signed by a key that the trust root no longer lists: issue it again"
            }
            Self::NeedsUnmet => {
                "it needs a trust root or revocations that sites can't be sent: upload them"
            }
        }
    }
}

/// A bundle, ready to be sent.
pub(crate) struct Bundle {
    /// SHA-256 of the bytes.
    pub digest: Sha256Digest,
    /// One envelope a line.
    pub bytes: Bytes,
}

/// What of the documents is sent, and the bundles made of them: sites that get the same share one.
#[derive(Default)]
pub(crate) struct Sending {
    /// The licenses of each tenant that a site may be sent, by their place in the standing.
    by_tenant: BTreeMap<TenantId, Vec<usize>>,
    /// The others, and why not.
    held_back: BTreeMap<usize, HeldBack>,
    /// Whether sites are sent the revocations.
    revocations: bool,
    made: Mutex<BTreeMap<Selection, Arc<Bundle>>>,
}

/// What one bundle is made of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Selection {
    /// The roots, by their place in the chain.
    roots: (usize, usize),
    /// The licenses, by their place, and the revocations with them; none for a site that must take
    /// roots first.
    licenses: Option<Vec<usize>>,
}

impl Sending {
    /// Looks through what stands.
    pub(crate) fn new(standing: &Standing) -> Self {
        let Some(root) = standing.root() else { return Self::default() };
        let listed = standing
            .revocations()
            .filter(|revocations| is_by_present_keys(root, Role::Revocation, revocations));
        let generation = listed.map_or(0, |revocations| revocations.generation.as_u64());
        let mut sending = Self { revocations: listed.is_some(), ..Self::default() };
        for (at, license) in standing.licenses().iter().enumerate() {
            match held_back(standing, root, generation, license) {
                Some(why) => drop(sending.held_back.insert(at, why)),
                None => {
                    let tenant_id = license.tenant.tenant_id;
                    sending.by_tenant.entry(tenant_id).or_default().push(at);
                }
            }
        }
        sending
    }

    /// What stands and no site can take, though it was meant to, for people. What a later serial
    /// of the line has replaced at every site is nobody's concern.
    pub(crate) fn stuck(&self, standing: &Standing) -> Vec<String> {
        let revocations = standing.revocations().filter(|_| !self.revocations).map(|held| {
            let why = "signed by a key that the trust root no longer lists: issue the next one";
            format!("revocations generation {}: {why}", held.generation)
        });
        let licenses = standing.licenses();
        let replaced = |at: usize| {
            let line = LineKey::of(&licenses[at]);
            let later = (at + 1..licenses.len()).take_while(|&next| licenses[next].is_of(&line));
            later.into_iter().any(|next| !self.held_back.contains_key(&next))
        };
        let stuck = self.held_back.iter().filter(|&(&at, why)| {
            matches!(why, HeldBack::KeyRotated | HeldBack::NeedsUnmet) && !replaced(at)
        });
        let stuck = stuck.map(|(&at, why)| {
            let License { license_id, serial, .. } = licenses[at].content();
            format!("license {license_id} serial {serial}: {}", why.sentence())
        });
        revocations.into_iter().chain(stuck).collect()
    }
}

impl Documents {
    /// The bundle for a site that stands where it reported: roots, revocations, and the licenses of
    /// its tenants that it can take. `None` while there is no root.
    pub(crate) fn bundle_for(
        &self,
        agent: &AgentFacts,
        reported: Option<&Reported>,
        now: Timestamp,
    ) -> Option<Arc<Bundle>> {
        self.standing.root()?;
        let selection = self.selection(agent, reported, now);
        // Each change is one insert: whole, whatever happened to its thread.
        let mut made = self.sending.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bundle) = made.get(&selection) {
            return Some(Arc::clone(bundle));
        }
        let bundle = Arc::new(self.make(&selection));
        if made.len() < KEPT_BUNDLES {
            made.insert(selection, Arc::clone(&bundle));
        }
        Some(bundle)
    }

    /// Whether a site is sent the license at this place, once it has the roots.
    pub(crate) fn fits(&self, at: usize, site: &SiteFacts) -> bool {
        let is_sent = !self.sending.held_back.contains_key(&at);
        is_sent && self.standing.licenses().get(at).is_some_and(|license| admits(site, license))
    }

    /// Why no site is sent the license at this place, if that is so.
    pub(crate) fn held_back(&self, at: usize) -> Option<HeldBack> {
        self.sending.held_back.get(&at).copied()
    }

    fn selection(
        &self,
        agent: &AgentFacts,
        reported: Option<&Reported>,
        now: Timestamp,
    ) -> Selection {
        let roots = self.standing.roots();
        let held = reported.map_or(0, |reported| reported.root);
        if let Some(Range { start, end }) = steps(roots, held, now) {
            return Selection { roots: (start, end), licenses: None };
        }
        let site = site(agent, reported);
        let licenses = self.standing.licenses();
        let mut chosen: Vec<usize> = agent
            .tenants
            .iter()
            .filter_map(|tenant_id| self.sending.by_tenant.get(tenant_id))
            .flatten()
            .copied()
            .filter(|&at| licenses.get(at).is_some_and(|license| admits(&site, license)))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        let lines = roots.len() + usize::from(self.sending.revocations) + chosen.len();
        // Where they would not fit otherwise, the roots that it has are left out.
        let known = if lines > LIMITS.bundle_lines { after(roots, held) } else { 0 };
        Selection { roots: (known, roots.len()), licenses: Some(chosen) }
    }

    fn make(&self, selection: &Selection) -> Bundle {
        let (start, end) = selection.roots;
        let roots = self.standing.roots().iter().take(end).skip(start);
        let revocations = self.standing.revocations().filter(|_| self.sending.revocations);
        let standing = self.standing.licenses();
        let rest = selection.licenses.as_ref().map(|chosen| {
            let licenses = chosen.iter().filter_map(|&at| standing.get(at)).map(Verified::line);
            revocations.into_iter().map(Verified::line).chain(licenses)
        });
        let (mut bytes, mut lines) = (Vec::new(), 0);
        for line in roots.map(|root| root.root().line()).chain(rest.into_iter().flatten()) {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
            lines += 1;
        }
        if lines > LIMITS.bundle_lines || bytes.len() > LIMITS.bundle_bytes {
            tracing::error!(
                lines,
                bytes = bytes.len(),
                "a site's documents exceed what one bundle holds"
            );
        }
        Bundle { digest: Sha256Digest::new(Sha256::digest(&bytes).into()), bytes: bytes.into() }
    }
}

/// What a site is, as far as the Kernel knows. A license that was given up there stands there, too,
/// so that it is nothing new to it; and an unknown fingerprint holds no binding.
pub(crate) fn site(agent: &AgentFacts, reported: Option<&Reported>) -> SiteFacts {
    SiteFacts {
        mode: SiteMode::Managed,
        tenants: agent.tenants.iter().copied().collect(),
        device_key: agent.device_key.clone(),
        fingerprint: reported.map(|reported| reported.fingerprint.clone()).unwrap_or_default(),
        open_nonce: None,
        released: BTreeMap::new(),
    }
}

fn admits(site: &SiteFacts, license: &License) -> bool {
    site.admits(license).is_ok()
}

fn held_back(
    standing: &Standing,
    root: &TrustRoot,
    generation: u64,
    license: &Verified<License>,
) -> Option<HeldBack> {
    let needs = &license.needs;
    if standing.revokes(license) {
        Some(HeldBack::Revoked)
    } else if !license.modes.contains(&SiteMode::Managed) {
        Some(HeldBack::Detached)
    } else if !is_by_present_keys(root, Role::License, license) {
        Some(HeldBack::KeyRotated)
    } else if root.version() < needs.root.as_u64() || generation < needs.revocations.as_u64() {
        Some(HeldBack::NeedsUnmet)
    } else {
        None
    }
}

/// Whether a document that stands would be taken as a new one (bundle.md §3.4): every key on its
/// line is one of the root in force, and they are enough. That they signed was verified when it
/// came.
fn is_by_present_keys<T>(root: &TrustRoot, role: Role, document: &Verified<T>) -> bool {
    let Some(keys) = root.root().role(role) else { return false };
    let enough = document.signers().len() as u64 >= keys.threshold.as_u64();
    let all = Envelope::open(document.line())
        .is_ok_and(|line| line.key_ids().all(|key| keys.key_ids.contains(&key)));
    enough && all
}

/// The roots that a site must take before anything else, if it is further behind than one import
/// goes (bundle.md §1.1). The import ends with one that has not ended (§3.7), if there is one.
fn steps(roots: &[TrustRoot], held: u64, now: Timestamp) -> Option<Range<usize>> {
    let newest = roots.last()?.version();
    if held == 0 || newest.saturating_sub(held) <= LIMITS.root_steps as u64 {
        return None;
    }
    let start = after(roots, held);
    let furthest = roots.len().min(start + LIMITS.root_steps);
    let holds = |&at: &usize| roots[at].root().expires > now;
    let last = (start..furthest).rev().find(holds).map_or(furthest, |at| at + 1);
    Some(start..last)
}

/// The place of the first root that is newer than this version.
fn after(roots: &[TrustRoot], version: u64) -> usize {
    roots.partition_point(|root| root.version() <= version)
}
