//! A stolen revocation key: the thief signs the last generation, and everyone in it.

use farhold_bundle::{
    KeyId, Positive, Signer,
    payload::{Revocations, Role},
};
use farhold_contract::Code;

use super::{
    Stage,
    paper::{Paper, word},
    report::{Proof, Rehearsal, Step, Trouble},
    site::{Site, trouble},
    twin::{Twin, sealed},
};
use crate::{issued::KnownRevocations, refusal::Refusal, root::Change};

/// Rehearses the theft of a revocation key and the way back.
///
/// # Errors
/// `signature.*` for a key that is no revocation key, and what keeps a license that was given from
/// standing at a site.
pub fn stolen_revocation_key(stage: &Stage<'_>, key: &str) -> Result<Rehearsal, Refusal> {
    let stolen = stage.key(key, Role::Revocation)?;
    let twin = Twin::of(stage)?;
    let thief = twin.key(stolen).expect("every key of the root has a twin");
    let fresh = Box::new(twin.fresh().public_key().clone());
    let changes = [
        Change::AddKey { role: Role::Revocation, public_key: fresh, name: None },
        Change::RevokeKey(thief.public_key().id()),
    ];
    let recovery = twin.next(&changes, |_| true, stage.now)?;
    let sites = Site::all(stage, &twin, None)?;

    let mut taken_away = Proof::of("the thief's last generation takes every license away");
    let mut thief_alone = Proof::of("the thief alone can sign no revocations that a site takes");
    let mut unmoved = Proof::of("without the thief's file, the recovery keeps the site served");
    let mut served = Proof::of("after the recovery the site is served as before the theft");
    let mut refused = Proof::of("the thief's revocations are refused from then on");
    let mut affected = Vec::new();
    let known = stage.issued.known_revocations(None, &stage.root.root().revoked_keys);
    let true_list = known.map(|known| &known.list);
    for site in &sites {
        let before = site.served_by().cloned();
        let everyone = Revocations {
            issuer: stage.root.root().issuer.id,
            generation: Positive::MAX,
            issued_at: stage.now,
            licenses: vec![site.customer.license_id],
            serials_below: Vec::new(),
            critical: Vec::new(),
        };
        let forged = sealed(&everyone, &[thief])?;
        let mut visited = site.twin();
        match visited.import(&[&forged]) {
            Ok(()) => {
                affected.push(site.customer.clone());
                taken_away.record(
                    &site.customer,
                    match visited.served_by() {
                        None => Ok(()),
                        Some(license) => {
                            Err(Trouble::of(format!("serial {} still serves", license.serial)))
                        }
                    },
                );
            }
            Err(refusal) => thief_alone.record(
                &site.customer,
                match refusal.code() {
                    Code::SignatureThreshold => Ok(()),
                    _ => Err(trouble(&refusal)),
                },
            ),
        }
        // The true list once more, by a key that is not stolen: what it revoked stays revoked.
        let list = Revocations {
            generation: Positive::new(site.generation() + 1).unwrap_or(Positive::MAX),
            licenses: true_list.map(|list| list.licenses.clone()).unwrap_or_default(),
            serials_below: true_list.map(|list| list.serials_below.clone()).unwrap_or_default(),
            ..everyone
        };
        let list = sealed(&list, &twin.quorum(&recovery, Role::Revocation))?;
        let lines = [recovery.root().line().to_vec(), list];
        for (mut site, proof) in [(visited, &mut served), (site.twin(), &mut unmoved)] {
            let found = site.import(&lines).map_err(|refusal| trouble(&refusal));
            proof.record(&site.customer, found.and_then(|()| site.serves_as(before.as_ref())));
            refused.record(&site.customer, site.refuses(&forged, Code::SignatureKeyRevoked));
        }
    }
    Ok(Rehearsal {
        what: format!(
            "revocation key {stolen} is stolen; the thief signs generation {}",
            Positive::MAX
        ),
        key_id: stolen,
        sites: sites.len(),
        affected,
        reissue: Vec::new(),
        stand_ins: 0,
        steps: steps(stage, stolen, known),
        proofs: Proof::tried([taken_away, thief_alone, unmoved, served, refused]),
        recovers: true,
    })
}

fn steps(stage: &Stage<'_>, stolen: KeyId, list: Option<&KnownRevocations>) -> Vec<Step> {
    let paper = Paper::of(stage, Role::Revocation, stolen);
    let mut steps = vec![paper.make_key("on a machine that the thief never had")];
    let verb = format!("rotate revocation --old {stolen} --new {} --revoke", paper.new_key);
    steps.extend(paper.next_root("Draft the root that revokes the stolen key", &verb));
    let (old, new) = (&paper.old_root, &paper.new_root);
    let mut files = new.clone();
    if let Some(known) = list {
        let next = known.list.generation.as_u64() + 1;
        let out = paper.free(&format!("revocations.{next}.json"));
        steps.push(sign_again(stage, &paper, known, next, &out));
        files.push_str(&format!(" {out}"));
    }
    let out = paper.free("recovery.bundle");
    steps.push(Step::new(
        "Bundle it, and send it to every customer: one import at each site, no license is issued \
         anew",
        [format!("license-tool bundle {files} --root {old}{} --out {out}", paper.known())],
    ));
    steps.push(paper.kernel_step(&[out]));
    steps
}

/// The true list once more, by as many keys as must sign.
fn sign_again(
    stage: &Stage<'_>,
    paper: &Paper<'_>,
    known: &KnownRevocations,
    next: u64,
    out: &str,
) -> Step {
    let what = "Sign your true list again, one generation on: what the stolen key signed falls, \
                and what it revoked in truth would come back";
    let listed = &stage.root.root().roles.revocation.key_ids;
    let is_proven = known.keys.iter().all(|key| listed.contains(key));
    let Some(file) = known.file.as_deref().filter(|_| is_proven) else {
        let what = format!(
            "{what}: `revoke --from` the file of generation {}, with `--from-root` and the root \
             that listed its key, into {out}",
            known.list.generation
        );
        return Step::new(what, []);
    };
    let (old, new) = (&paper.old_root, &paper.new_root);
    let from = format!("--from {} --from-root {old}", word(file));
    let keys = paper.keys(Role::Revocation);
    let lines = match &keys[..] {
        [] => Vec::new(),
        [key] => {
            vec![format!("license-tool revoke {from} --key {key} --root {new} --out {out}")]
        }
        [first, others @ ..] => {
            let draft = paper.free(&format!("revocations.{next}.draft.json"));
            let make = format!(
                "license-tool revoke {from} --draft --key {first} --root {new} --out {draft}"
            );
            let sign = |draft: &str, key: &str, to: &str| {
                format!("license-tool sign {draft} {from} --key {key} --root {new} --out {to}")
            };
            let stem = format!("revocations.{next}");
            let passed = paper.pass_on(sign, &draft, &stem, out, others);
            std::iter::once(make).chain(passed).collect()
        }
    };
    Step::new(what, lines)
}
