//! Parcel: an answer with what goes along, held to what the site will do with it.

use std::collections::BTreeMap;

use farhold_bundle::{
    Envelope, Standing, TrustRoot, Verified,
    payload::{DocumentType, License, Request, RootRef},
    plan_import,
};
use farhold_contract::{Code, Timestamp};

use crate::{assemble::assemble, refusal::Refusal, verify::refuse_import};

/// What goes along with an answer, and from where the site takes it.
#[derive(Debug)]
pub struct Parcel {
    /// As far as it is known here: the site's own root, else the desk's.
    site: TrustRoot,
    /// At which root the site stays where the parcel brings none; absent: it has none yet.
    stands_at: Option<u64>,
    documents: Vec<Envelope>,
}

/// An answer as the site would take it.
#[derive(Debug)]
pub struct Packed {
    /// The bundle.
    pub bundle: Vec<u8>,
    /// What of it, and of the root it is taken from, would stand.
    pub standing: Standing,
}

impl Parcel {
    /// Puts documents along with an answer by `root`.
    ///
    /// Roots must lead on from the one that the request names, step by step. That one proves the
    /// first step: it is among `with`, or it is `root`. Roots that the site has are not sent.
    ///
    /// # Errors
    /// `trust.root_skipped` with what is missing; `trust.conflict` for another root than the
    /// site's; `bundle.conflict` for two roots of one version; as a site refuses a root.
    pub fn new(request: &Request, root: &TrustRoot, with: Vec<Envelope>) -> Result<Self, Refusal> {
        let (roots, others): (Vec<Envelope>, Vec<Envelope>) =
            with.into_iter().partition(|document| document.kind() == DocumentType::Root);
        let given = Given::read(roots)?;
        let Some(theirs) = &request.root else {
            return given.for_nobody(root, others);
        };
        let version = theirs.version.as_u64();
        let sent = given.after(version);
        let site = match given.at(theirs)? {
            Some(site) => site,
            None if version == root.version() => root.clone(),
            // The site takes the license by its own root, if that lists the key: it can't be seen.
            None if sent.is_empty() => root.clone(),
            None => return Err(missing(theirs, gaps(version - 1, &sent))),
        };
        let gaps = gaps(version, &sent);
        if !gaps.is_empty() {
            return Err(missing(theirs, gaps));
        }
        let mut current = site.clone();
        for (_, next) in &sent {
            current = step(&current, next)?;
        }
        let sent = sent.into_iter().map(|(_, next)| next.clone());
        Ok(Self { site, stands_at: Some(version), documents: sent.chain(others).collect() })
    }

    /// What goes along.
    pub fn documents(&self) -> &[Envelope] {
        &self.documents
    }

    /// The bundle of the license and all that goes along, as the site takes it.
    ///
    /// # Errors
    /// As the site refuses it; `bundle.incomplete` for a license that needs a newer root than the
    /// site would have.
    pub fn pack(&self, license: &Verified<License>, now: Timestamp) -> Result<Packed, Refusal> {
        let own = Envelope::open(license.line())?;
        let bundle = assemble(self.documents.iter().cloned().chain([own]).collect())?;
        let plan = plan_import(&Standing::with_trust(self.site.clone()), &bundle, None, now)
            .map_err(|refusal| self.refuse(refuse_import(refusal)))?;
        self.require_needs(&plan.standing)?;
        Ok(Packed { bundle, standing: plan.standing })
    }

    /// At which root the site would stand.
    fn reaches(&self, standing: &Standing) -> Option<u64> {
        let brought = self.documents.iter().any(|document| document.kind() == DocumentType::Root);
        let newest = standing.root().map(TrustRoot::version).filter(|_| brought);
        newest.or(self.stands_at)
    }

    fn require_needs(&self, standing: &Standing) -> Result<(), Refusal> {
        let Some(reached) = self.reaches(standing) else { return Ok(()) };
        let needing = standing.licenses().iter().find(|it| it.needs.root.as_u64() > reached);
        let Some(license) = needing else { return Ok(()) };
        let needed = license.needs.root;
        let what = format!(
            "license {} serial {} needs root {needed}; with this answer the site stands at root \
             {reached}",
            license.license_id, license.serial
        );
        Err(Refusal::new(Code::BundleIncomplete, what)
            .with_next(format!("Put the roots up to {needed} into the answer: --with FILE.")))
    }

    /// A key that the site's root does not list is listed by a newer one.
    fn refuse(&self, refusal: Refusal) -> Refusal {
        match (refusal.code(), self.stands_at) {
            (Code::SignatureKeyUnknown, Some(version)) => refusal.with_next(format!(
                "The site stands at root {version}: put every root after it into the answer \
                 (--with FILE), up to the one that lists the key."
            )),
            _ => refusal,
        }
    }
}

/// The roots among what goes along, by version; each proven by its own keys alone.
struct Given(BTreeMap<u64, (TrustRoot, Envelope)>);

impl Given {
    fn read(roots: Vec<Envelope>) -> Result<Self, Refusal> {
        let mut given: BTreeMap<u64, (TrustRoot, Envelope)> = BTreeMap::new();
        for envelope in roots {
            let root = TrustRoot::install(envelope.line(), None).map_err(|reason| {
                let refusal = Refusal::from(reason);
                let what = format!("a root that goes along: {}", refusal.what());
                Refusal::new(refusal.code(), what)
                    .with_next("Give the roots as root sign completed them.")
            })?;
            let version = root.version();
            if given.get(&version).is_some_and(|(other, _)| !is_same(other, &root)) {
                let what = format!("two different roots {version} go along");
                return Err(Refusal::new(Code::BundleConflict, what)
                    .with_next("Find out which of them your sites have; give that one."));
            }
            given.entry(version).or_insert((root, envelope));
        }
        Ok(Self(given))
    }

    /// The root that a site names, if it was given.
    fn at(&self, theirs: &RootRef) -> Result<Option<TrustRoot>, Refusal> {
        let Some((root, _)) = self.0.get(&theirs.version.as_u64()) else { return Ok(None) };
        if root.root().sha256() == theirs.sha256 {
            return Ok(Some(root.clone()));
        }
        let what = format!(
            "the root {} given is not the site's: its payload has SHA-256 {}, the site's {}",
            theirs.version,
            root.root().sha256(),
            theirs.sha256
        );
        Err(Refusal::new(Code::TrustConflict, what).with_next(
            "Find out whose root it installed; compare the hashes over another channel.",
        ))
    }

    fn after(&self, version: u64) -> Vec<(u64, &Envelope)> {
        self.0.range(version + 1..).map(|(version, (_, envelope))| (*version, envelope)).collect()
    }

    /// For a site without a root, which installs its first one by hand: the roots given and the
    /// desk's own must be one chain.
    fn for_nobody(self, root: &TrustRoot, others: Vec<Envelope>) -> Result<Parcel, Refusal> {
        let before = self.0.range(..root.version()).next().map(|(_, (first, _))| first.clone());
        let site = before.unwrap_or_else(|| root.clone());
        let mut current = site.clone();
        for (version, envelope) in self.after(site.version()) {
            if version != current.version() + 1 {
                let first = current.version();
                let what = format!("root {version} does not follow root {first} by exactly one");
                return Err(Refusal::new(Code::TrustSkipped, what)
                    .with_next("Give the roots in between as well: --with FILE for each."));
            }
            current = step(&current, envelope)?;
        }
        let roots = self.0.into_values().map(|(_, envelope)| envelope);
        Ok(Parcel { site, stands_at: None, documents: roots.chain(others).collect() })
    }
}

fn is_same(one: &TrustRoot, other: &TrustRoot) -> bool {
    one.root().sha256() == other.root().sha256()
}

fn step(current: &TrustRoot, next: &Envelope) -> Result<TrustRoot, Refusal> {
    current.step(next.clone()).map_err(|reason| {
        let refusal = Refusal::from(reason);
        let (before, after) = (current.version(), current.version() + 1);
        let what = format!(
            "root {after} does not follow root {before}, from which the site comes: {}",
            refusal.what()
        );
        Refusal::new(refusal.code(), what).with_next(format!(
            "Give the root {after} that root sign completed: signed by enough root keys of root \
             {before} and of its own."
        ))
    })
}

/// The versions between those given, after `version`, as ranges.
fn gaps(version: u64, given: &[(u64, &Envelope)]) -> Vec<(u64, u64)> {
    let before = std::iter::once(version).chain(given.iter().map(|(version, _)| *version));
    let pairs = before.zip(given.iter().map(|(version, _)| *version));
    let gaps = pairs.map(|(before, after)| (before + 1, after - 1));
    gaps.filter(|(from, to)| from <= to).collect()
}

fn missing(theirs: &RootRef, gaps: Vec<(u64, u64)>) -> Refusal {
    let version = theirs.version.as_u64();
    let ranges = gaps.iter().map(|(from, to)| match from == to {
        true => from.to_string(),
        false => format!("{from} to {to}"),
    });
    let ranges = ranges.collect::<Vec<_>>().join(", ");
    let what = format!(
        "the site stands at root {version}, and the roots that go along do not lead on from there: \
         {ranges} is missing"
    );
    let own = match gaps.first() {
        Some((from, _)) if *from == version => {
            format!(" Root {version} is the site's own: it proves the next one, and is not sent.")
        }
        _ => String::new(),
    };
    Refusal::new(Code::TrustSkipped, what)
        .with_next(format!("Add root {ranges}: --with FILE for each.{own}"))
}
