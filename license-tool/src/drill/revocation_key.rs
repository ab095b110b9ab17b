//! A stolen revocation key: the thief signs the last generation, and everyone in it.

use farhold_bundle::{
    KeyId, Positive, Signer,
    payload::{Revocations, Role},
};
use farhold_contract::Code;

use super::{
    Stage,
    license_key::{kernel_step, sign_step},
    report::{Proof, Rehearsal, Step, Trouble},
    site::{Site, trouble},
    twin::{Twin, sealed},
};
use crate::{refusal::Refusal, root::Change};

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
    let true_list = stage.issued.revocations(None, &stage.root.root().revoked_keys);
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
        steps: steps(stage, stolen, true_list),
        proofs: Proof::tried([taken_away, thief_alone, unmoved, served, refused]),
        recovers: true,
    })
}

fn steps(stage: &Stage<'_>, stolen: KeyId, list: Option<&Revocations>) -> Vec<Step> {
    let (old, new) = (stage.root.version(), stage.root.version() + 1);
    let from = match list {
        Some(list) => {
            format!("--from revocations.{}.json --from-root root.{old}.json", list.generation)
        }
        None => "--first --license LICENSE_ID".to_owned(),
    };
    let next = list.map_or(1, |list| list.generation.as_u64() + 1);
    let revoke = format!(
        "license-tool revoke {from} --key revocation-new.key --root root.{new}.json \
         --out revocations.{next}.json"
    );
    let mut steps = vec![
        Step::new(
            "Make a new revocation key on a machine that the thief never had",
            ["license-tool keygen revocation-new.key".to_owned()],
        ),
        Step::new(
            "Draft the root that revokes the stolen key",
            [format!(
                "license-tool root rotate revocation --old {stolen} --new revocation-new.key \
                 --revoke --root root.{old}.json --out root.{new}.draft.json"
            )],
        ),
        sign_step(stage),
    ];
    let files = if list.is_some() {
        steps.push(Step::new(
            "Sign your true list again, one generation on: what the stolen key signed falls, and \
             what it revoked in truth would come back",
            [revoke],
        ));
        format!("root.{new}.json revocations.{next}.json")
    } else {
        format!("root.{new}.json")
    };
    steps.push(Step::new(
        "Bundle both, and send them to every customer: one import at each site, no license is \
         issued anew",
        [format!("license-tool bundle {files} --root root.{old}.json --licenses ISSUED --out recovery.bundle")],
    ));
    steps.push(kernel_step());
    steps
}
