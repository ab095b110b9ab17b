//! Site: an agent in memory that takes bundles by the planner of the real ones.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use farhold_bundle::{
    ImportPlan, ImportRefusal, KeyId, LineKey, Positive, PublicKey, Signer, SiteFacts, Standing,
    Verified,
    payload::{Binding, License},
    plan_import,
};
use farhold_contract::{Code, Timestamp};
use farhold_policy::Phase;

use super::{Stage, report::Trouble, twin::Twin};
use crate::{
    issued::{Customer, IssuedLicense, in_force},
    refusal::Refusal,
    verify::licenses_at,
};

/// One site, for one line of licenses on one machine.
pub(super) struct Site {
    /// Whose site it is, by the license that serves it before anything happens.
    pub(super) customer: Customer,
    /// What it was given: the license in force and those that wait, by rising serial.
    pub(super) licenses: Vec<IssuedLicense>,
    /// The highest serial of the line, wherever it is.
    pub(super) newest: Positive,
    line: LineKey,
    facts: SiteFacts,
    standing: Standing,
    now: Timestamp,
}

impl Site {
    /// Every site there is: one for each line and each machine that a license of it is for.
    ///
    /// Licenses that do not stand, are revoked, or are over have none. Where one serial is out by
    /// several keys, a site has the file that falls with `stolen`: nobody knows which one it took.
    pub(super) fn all(
        stage: &Stage<'_>,
        twin: &Twin,
        stolen: Option<KeyId>,
    ) -> Result<Vec<Self>, Refusal> {
        let revoked = &stage.root.root().revoked_keys;
        let list = stage.issued.revocations(None, revoked);
        let holds = |license: &License| !list.is_some_and(|list| list.revokes(license));
        let mut sites = Vec::new();
        for (line, licenses) in stage.issued.lines() {
            let standing: Vec<IssuedLicense> = licenses
                .iter()
                .filter(|issued| issued.stands_under(std::slice::from_ref(stage.root)))
                .filter(|issued| holds(&issued.license))
                .cloned()
                .collect();
            let today = in_force(&standing, |_| true, stage.now);
            let newest = licenses.last().map_or(Positive::MIN, |newest| newest.license.serial);
            let relevant = standing.iter().filter(|issued| match today {
                Some(today) => issued.license.serial >= today.license.serial,
                None => issued.license.not_before > stage.now,
            });
            // One machine a binding; a rehost leaves the line at two of them.
            let mut machines: Vec<(Option<&Binding>, Vec<IssuedLicense>)> = Vec::new();
            for issued in relevant {
                let binding = issued.license.binding.as_ref();
                match machines.iter_mut().find(|(other, _)| *other == binding) {
                    Some((_, licenses)) => add(licenses, issued, stolen),
                    None => machines.push((binding, vec![issued.clone()])),
                }
            }
            for (_, licenses) in machines {
                sites.push(Self::of(stage, twin, line, licenses, newest)?);
            }
        }
        Ok(sites)
    }

    fn of(
        stage: &Stage<'_>,
        twin: &Twin,
        line: &LineKey,
        licenses: Vec<IssuedLicense>,
        newest: Positive,
    ) -> Result<Self, Refusal> {
        let first = licenses.first().expect("a machine has a license");
        let facts = facts(&first.license, twin.fresh().public_key());
        let is_current = licenses.iter().all(|issued| issued.is_current_under(stage.root));
        let start = if is_current { twin.current() } else { twin.former() };
        let mut site = Self {
            customer: first.customer(),
            newest,
            line: line.clone(),
            facts,
            standing: Standing::with_trust(start.clone()),
            now: stage.now,
            licenses,
        };
        let mut lines = Vec::new();
        if let Some(list) = site.list_before(stage) {
            lines.push(twin.revocations(&list)?);
        }
        for issued in &site.licenses {
            // `needs` may name the root in force; what stood before needed less.
            let mut issued = issued.clone();
            issued.license.needs.root = Default::default();
            lines.push(twin.license(&issued)?);
        }
        site.import(&lines).map_err(|refusal| site.refused(refusal))?;
        if !is_current {
            let step = [twin.current().root().line().to_vec()];
            site.import(&step).map_err(|refusal| site.refused(refusal))?;
        }
        Ok(site)
    }

    /// The revocations that stand before anything happens: those known, or as many as a license
    /// of this site needs.
    fn list_before(&self, stage: &Stage<'_>) -> Option<farhold_bundle::payload::Revocations> {
        let known = stage.issued.revocations(None, &stage.root.root().revoked_keys);
        let needed = self.licenses.iter().map(|issued| issued.license.needs.revocations.as_u64());
        let needed = needed.max().and_then(Positive::new);
        let generation = known.map(|list| list.generation).max(needed)?;
        Some(match known {
            Some(list) => farhold_bundle::payload::Revocations { generation, ..list.clone() },
            None => farhold_bundle::payload::Revocations {
                issuer: stage.root.root().issuer.id,
                generation,
                issued_at: stage.root.root().issued_at,
                licenses: Vec::new(),
                serials_below: Vec::new(),
                critical: Vec::new(),
            },
        })
    }

    /// Imports what it does not refuse.
    pub(super) fn import<L: AsRef<[u8]>>(&mut self, lines: &[L]) -> Result<(), ImportRefusal> {
        self.standing = self.plan(lines)?.standing;
        Ok(())
    }

    /// What an import would make of it.
    pub(super) fn plan<L: AsRef<[u8]>>(&self, lines: &[L]) -> Result<ImportPlan, ImportRefusal> {
        let mut bundle = Vec::new();
        for line in lines {
            bundle.extend_from_slice(line.as_ref());
            bundle.push(b'\n');
        }
        plan_import(&self.standing, &bundle, Some(&self.facts), self.now)
    }

    /// A second site that stands where this one does.
    pub(super) fn twin(&self) -> Self {
        Self {
            customer: self.customer.clone(),
            licenses: self.licenses.clone(),
            newest: self.newest,
            line: self.line.clone(),
            facts: self.facts.clone(),
            standing: self.standing.clone(),
            now: self.now,
        }
    }

    /// The generation at which it stands.
    pub(super) fn generation(&self) -> u64 {
        self.standing.revocations().map_or(0, |list| list.generation.as_u64())
    }

    /// Whether the license of one serial stands here.
    pub(super) fn has(&self, serial: Positive) -> bool {
        self.standing.licenses().iter().any(|license| license.serial == serial)
    }

    /// The serial that serves, if any does.
    pub(super) fn served_by(&self) -> Option<&License> {
        let serves = licenses_at(&self.standing, self.now).into_iter().find(|license| {
            (license.tenant_id, &*license.product) == (self.line.tenant_id, &*self.line.product)
                && license.in_force
                && license.phase != Phase::Stopped
        })?;
        let mut standing = self.standing.licenses().iter().map(Verified::content);
        standing.find(|license| license.is_of(&self.line) && license.serial == serves.serial)
    }

    /// Whether it serves what it served: the same contract with the same content.
    pub(super) fn serves_as(&self, before: Option<&License>) -> Result<(), Trouble> {
        match (before, self.served_by()) {
            (Some(before), Some(after)) if is_same_grant(before, after) => Ok(()),
            (None, None) => Ok(()),
            (Some(before), Some(after)) => Err(Trouble::of(format!(
                "serial {} serves, and grants something else than serial {} did",
                after.serial, before.serial
            ))),
            (Some(before), None) => {
                Err(Trouble::of(format!("nothing serves; serial {} did", before.serial)))
            }
            (None, Some(after)) => {
                Err(Trouble::of(format!("serial {} serves, and nothing did before", after.serial)))
            }
        }
    }

    /// Whether it refuses a document by this code.
    pub(super) fn refuses(&self, line: &[u8], code: Code) -> Result<(), Trouble> {
        match self.plan(&[line]) {
            Err(refusal) if refusal.code() == code => Ok(()),
            Err(refusal) => Err(trouble(&refusal)),
            Ok(_) => Err(Trouble::of("it was taken")),
        }
    }

    /// The licenses that stand here.
    pub(super) fn standing(&self) -> &[Verified<License>] {
        self.standing.licenses()
    }

    fn refused(&self, refusal: ImportRefusal) -> Refusal {
        let reason = Refusal::from(refusal.reason);
        let what = format!("{}: its own license is not taken: {}", self.customer, reason.what());
        Refusal::new(reason.code(), what)
            .with_next("Correct the licenses given; the drill begins with what sites stand at.")
    }
}

/// Adds a license; of several files of one serial, the one that the theft hits harder stays.
fn add(licenses: &mut Vec<IssuedLicense>, issued: &IssuedLicense, stolen: Option<KeyId>) {
    // The fewer signed beside the stolen key, the sooner the license falls with it.
    let hit = |issued: &IssuedLicense| {
        let is_hit = stolen.is_some_and(|stolen| issued.keys.contains(&stolen));
        (is_hit, Reverse(issued.keys.len()))
    };
    match licenses.iter_mut().find(|other| other.license.serial == issued.license.serial) {
        Some(known) if hit(issued) > hit(known) => *known = issued.clone(),
        Some(_) => {}
        None => licenses.push(issued.clone()),
    }
}

/// What a site said when it refused.
pub(super) fn trouble(refusal: &ImportRefusal) -> Trouble {
    Trouble {
        code: Some(refusal.code()),
        what: Refusal::from_error(refusal.code(), refusal).what().to_owned(),
    }
}

/// Another serial of the same word, issued another day.
fn is_same_grant(one: &License, other: &License) -> bool {
    let bare = |license: &License| License {
        serial: Positive::MIN,
        issued_at: Timestamp::MIN,
        needs: Default::default(),
        ..license.clone()
    };
    bare(one) == bare(other)
}

fn facts(license: &License, any_key: &PublicKey) -> SiteFacts {
    let (device_key, fingerprint) = match &license.binding {
        Some(Binding::DeviceKey(key)) => (key.clone(), BTreeMap::new()),
        Some(Binding::Fingerprint(bound)) => (any_key.clone(), bound.components.clone()),
        Some(Binding::None) | None => (any_key.clone(), BTreeMap::new()),
    };
    SiteFacts {
        mode: *license.modes.iter().next().expect("a license has a mode"),
        tenants: BTreeSet::from([license.tenant.tenant_id]),
        device_key,
        fingerprint,
        open_nonce: None,
        released: BTreeMap::new(),
    }
}
