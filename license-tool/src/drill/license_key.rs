//! A stolen license key: the thief signs the last serial of every line.

use std::collections::BTreeMap;

use farhold_bundle::{
    KeyId, LineKey, Positive, Signer,
    payload::{License, Role},
};
use farhold_contract::{Code, Timestamp};

use super::{
    Stage,
    paper::Paper,
    reissue::{self, Anew},
    report::{Proof, Rehearsal, Reissue, Step, Trouble},
    site::{Site, trouble},
    twin::{Twin, as_serial, sealed},
};
use crate::{issued::IssuedLicense, refusal::Refusal, root::Change};

/// Rehearses the theft of a license key and the way back.
///
/// # Errors
/// `signature.*` for a key that is no license key, and what keeps a license that was given from
/// standing at a site.
pub fn stolen_license_key(stage: &Stage<'_>, key: &str) -> Result<Rehearsal, Refusal> {
    let stolen = stage.key(key, Role::License)?;
    let twin = Twin::of(stage)?;
    let thief = twin.key(stolen).expect("every key of the root and of a license has a twin");
    let recovery = recover(stage, &twin, stolen, thief.public_key().id())?;
    let sites = Site::all(stage, &twin, Some(stolen))?;

    let mut served_by_thief = Proof::of("the thief's last serial takes the site over");
    let mut thief_alone = Proof::of("the thief alone can sign no license that a site takes");
    let mut unmoved = Proof::of("without the thief's file, the recovery keeps the site served");
    let mut served = Proof::of("after the recovery the site is served as before the theft");
    let mut refused = Proof::of("the thief's license is refused from then on");
    let mut affected = Vec::new();
    let mut reissue: Vec<Reissue> = Vec::new();
    let mut all_anew: Vec<Anew<'_>> = Vec::new();
    let mut next_serial: BTreeMap<LineKey, u64> = BTreeMap::new();
    let mut stand_ins = 0;
    for site in &sites {
        stand_ins += site.licenses.iter().filter(|issued| issued.is_stand_in).count();
        let before = site.served_by().cloned();
        let forged = sealed(&forge(&site.licenses[0].license, stage.now), &[thief])?;

        // The theft: where one key is enough, the last serial is the thief's.
        let mut visited = site.twin();
        match visited.import(&[&forged]) {
            Ok(()) => served_by_thief.record(&site.customer, is_last(visited.served_by())),
            Err(refusal) => thief_alone.record(
                &site.customer,
                match refusal.code() {
                    Code::SignatureThreshold | Code::SignatureKeyUnknown => Ok(()),
                    _ => Err(trouble(&refusal)),
                },
            ),
        }

        // The recovering root alone shows what falls with the key.
        let root = recovery.root().line().to_vec();
        let mut alone = site.twin();
        let fell = match alone.import(&[&root]) {
            Ok(()) => fallen(site, &alone),
            Err(refusal) => {
                served.record(&site.customer, Err(trouble(&refusal)));
                continue;
            }
        };
        let anew = anew(site, &fell, &mut next_serial);
        if !fell.is_empty() {
            affected.push(site.customer.clone());
        }
        let mut lines = vec![root];
        for (issued, serial) in &anew {
            let license = as_serial(&issued.license, *serial, stage.now);
            lines.push(sealed(&license, &twin.quorum(&recovery, Role::License))?);
            reissue.push(Reissue { customer: issued.customer(), as_serial: *serial });
        }
        let licenses = anew.iter().map(|(issued, serial)| ((*issued).clone(), *serial)).collect();
        all_anew.push(Anew { site, licenses });

        // One import, wherever the thief has been.
        for (mut site, proof) in [(visited, &mut served), (site.twin(), &mut unmoved)] {
            let found = site.import(&lines).map_err(|refusal| trouble(&refusal));
            let found = found.and_then(|()| site.serves_as(before.as_ref()));
            let found = found.and_then(|()| waiting_stand(&site, &anew));
            proof.record(&site.customer, found);
            refused.record(&site.customer, site.refuses(&forged, Code::SignatureKeyRevoked));
        }
    }
    let steps = steps(stage, stolen, &all_anew);
    Ok(Rehearsal {
        what: format!("license key {stolen} is stolen; the thief signs serial {}", Positive::MAX),
        key_id: stolen,
        sites: sites.len(),
        affected,
        reissue,
        stand_ins,
        steps,
        proofs: Proof::tried([served_by_thief, thief_alone, unmoved, served, refused]),
        recovers: true,
    })
}

/// The root that revokes the key, with a fresh one in its place if it was still in its role.
fn recover(
    stage: &Stage<'_>,
    twin: &Twin,
    real: KeyId,
    stolen: KeyId,
) -> Result<farhold_bundle::TrustRoot, Refusal> {
    let mut changes = Vec::new();
    if stage.root.role_of(real).is_some() {
        let public_key = Box::new(twin.fresh().public_key().clone());
        changes.push(Change::AddKey { role: Role::License, public_key, name: None });
    }
    changes.push(Change::RevokeKey(stolen));
    twin.next(&changes, |_| true, stage.now)
}

/// What a thief would sign: everything the license grants, for ever, above every serial.
fn forge(license: &License, now: Timestamp) -> License {
    License {
        serial: Positive::MAX,
        issued_at: now,
        not_before: license.not_before.min(now),
        expires_on: Some("9999-12-30".parse().expect("it is a date")),
        needs: Default::default(),
        ..license.clone()
    }
}

fn is_last(license: Option<&License>) -> Result<(), Trouble> {
    match license {
        Some(license) if license.serial == Positive::MAX => Ok(()),
        _ => Err(Trouble::of("another serial serves")),
    }
}

/// The serials that a site had and has no more.
fn fallen(before: &Site, after: &Site) -> Vec<Positive> {
    let stood = before.standing().iter().map(|license| license.serial);
    stood.filter(|serial| !after.has(*serial)).collect()
}

/// What a site is issued anew: from the first license that fell on, in order, above every serial
/// of the line. A waiting one that stood is issued again, too, or the new serials would hide it.
fn anew<'a>(
    site: &'a Site,
    fell: &[Positive],
    next_serial: &mut BTreeMap<LineKey, u64>,
) -> Vec<(&'a IssuedLicense, Positive)> {
    let Some(first) = fell.iter().min() else { return Vec::new() };
    let from_there = site.licenses.iter().filter(|issued| issued.license.serial >= *first);
    from_there
        .filter_map(|issued| {
            let next =
                next_serial.entry(LineKey::of(&issued.license)).or_insert(site.newest.as_u64());
            *next += 1;
            Positive::new(*next).map(|serial| (issued, serial))
        })
        .collect()
}

fn waiting_stand(site: &Site, anew: &[(&IssuedLicense, Positive)]) -> Result<(), Trouble> {
    match anew.iter().find(|(_, serial)| !site.has(*serial)) {
        Some((_, serial)) => Err(Trouble::of(format!("serial {serial} does not stand"))),
        None => Ok(()),
    }
}

fn steps(stage: &Stage<'_>, stolen: KeyId, anew: &[Anew<'_>]) -> Vec<Step> {
    let paper = Paper::of(stage, Role::License, stolen);
    let mut steps = Vec::new();
    let verb = match paper.is_listed() {
        true => {
            steps.push(paper.make_key("on a machine that the thief never had"));
            format!("rotate license --old {stolen} --new {} --revoke", paper.new_key)
        }
        false => format!("revoke-key {stolen}"),
    };
    steps.extend(paper.next_root("Draft the root that revokes the stolen key", &verb));
    steps.extend(reissue::steps(stage, &paper, anew));
    steps
}
