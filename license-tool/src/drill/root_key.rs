//! A root key that is lost or stolen: whether the others can go on without it.

use farhold_bundle::{
    KeyId, Positive, Signer, TrustRoot,
    payload::{Role, RoleKeys, Root, RootKey},
};
use farhold_contract::Code;

use super::{
    Stage,
    paper::{Paper, quoted},
    report::{Proof, Rehearsal, Step},
    site::{Site, trouble},
    twin::{Twin, sealed},
};
use crate::{refusal::Refusal, root::Change};

/// Rehearses the loss of a root key: nobody has it any more.
///
/// # Errors
/// `signature.*` for a key that is no root key, and what keeps a license that was given from
/// standing at a site.
pub fn lost_root_key(stage: &Stage<'_>, key: &str) -> Result<Rehearsal, Refusal> {
    let lost = stage.key(key, Role::Root)?;
    let twin = Twin::of(stage)?;
    let gone = twin_id(&twin, lost);
    let sites = Site::all(stage, &twin, None)?;
    let recovery = recovery(stage, &twin, gone, Change::RemoveKey(gone));
    let mut rehearsal =
        Rehearsal { what: format!("root key {lost} is lost"), ..whole(lost, &sites) };
    match recovery {
        Ok(recovery) => {
            rehearsal.proofs.push(goes_on(&sites, &recovery));
            rehearsal.steps = steps(stage, lost, "");
        }
        Err(refusal) if refusal.code() == Code::SignatureThreshold => {
            rehearsal.recovers = false;
            rehearsal.steps = by_hand(
                stage,
                lost,
                "Nothing stops: what is in force stays in force. New \
                documents are taken until root",
            );
        }
        Err(refusal) => return Err(refusal),
    }
    Ok(rehearsal)
}

/// Rehearses the theft of a root key: the thief has it, and its owner, too.
///
/// # Errors
/// As [`lost_root_key`].
pub fn stolen_root_key(stage: &Stage<'_>, key: &str) -> Result<Rehearsal, Refusal> {
    let stolen = stage.key(key, Role::Root)?;
    let twin = Twin::of(stage)?;
    let gone = twin_id(&twin, stolen);
    let sites = Site::all(stage, &twin, None)?;
    let forged = thiefs_root(stage, &twin, gone, stolen)?;
    let alone = stage.root.root().roles.root.threshold > Positive::MIN;
    let mut rehearsal = Rehearsal {
        what: format!("root key {stolen} is stolen; the thief signs a root of its own"),
        ..whole(stolen, &sites)
    };
    if alone {
        let mut refused = Proof::of("the thief's root is refused: one root key is not enough");
        for site in &sites {
            refused.record(&site.customer, site.refuses(&forged, Code::SignatureThreshold));
        }
        rehearsal.proofs.push(refused);
        // The owner still has the key; the recovery must not depend on it.
        let recovery = recovery(stage, &twin, gone, Change::RevokeKey(gone))?;
        rehearsal.proofs.push(goes_on(&sites, &recovery));
        rehearsal.steps = steps(stage, stolen, " --revoke");
        return Ok(rehearsal);
    }
    let mut taken = Proof::of("the thief's root is taken: the site is the thief's");
    for site in &sites {
        let found = site.twin().import(&[&forged]);
        taken.record(&site.customer, found.map_err(|refusal| trouble(&refusal)));
        rehearsal.affected.push(site.customer.clone());
    }
    rehearsal.proofs.push(taken);
    rehearsal.recovers = false;
    rehearsal.steps = by_hand(
        stage,
        stolen,
        "One key was enough to sign a root: whoever has it and reaches \
        a site decides there. Have three root keys and a threshold of two. Sites take yours until \
        root",
    );
    Ok(rehearsal)
}

fn twin_id(twin: &Twin, real: KeyId) -> KeyId {
    twin.key(real).expect("every key of the root has a twin").public_key().id()
}

/// The next root without the key, signed by the others alone.
fn recovery(
    stage: &Stage<'_>,
    twin: &Twin,
    gone: KeyId,
    change: Change,
) -> Result<TrustRoot, Refusal> {
    let public_key = Box::new(twin.fresh().public_key().clone());
    let changes = [Change::AddKey { role: Role::Root, public_key, name: None }, change];
    twin.next(&changes, |id| id != gone, stage.now)
}

fn goes_on(sites: &[Site], recovery: &TrustRoot) -> Proof {
    let mut proof = Proof::of("the others' root is taken, and the site is served as before");
    for site in sites {
        let mut after = site.twin();
        let found = after.import(&[recovery.root().line()]).map_err(|refusal| trouble(&refusal));
        proof.record(&site.customer, found.and_then(|()| after.serves_as(site.served_by())));
    }
    proof
}

/// A root by the thief's one key: all roles are its own.
fn thiefs_root(
    stage: &Stage<'_>,
    twin: &Twin,
    gone: KeyId,
    stolen: KeyId,
) -> Result<Vec<u8>, Refusal> {
    let current = twin.current().root().content();
    let thief = twin.key(stolen).expect("every key of the root has a twin");
    let only = RoleKeys { key_ids: vec![gone], threshold: Positive::MIN };
    let root = Root {
        version: Positive::new(current.version.as_u64() + 1).unwrap_or(current.version),
        issued_at: stage.now,
        keys: current
            .keys
            .iter()
            .filter(|key| {
                let id = key.public_key.id();
                id == gone || !current.roles.root.key_ids.contains(&id)
            })
            .map(|key| RootKey { public_key: key.public_key.clone(), name: None })
            .collect(),
        roles: farhold_bundle::payload::Roles { root: only, ..current.roles.clone() },
        ..current.clone()
    };
    sealed(&root, &[thief as &dyn Signer])
}

fn whole(key_id: KeyId, sites: &[Site]) -> Rehearsal {
    Rehearsal {
        what: String::new(),
        key_id,
        sites: sites.len(),
        affected: Vec::new(),
        reissue: Vec::new(),
        stand_ins: 0,
        steps: Vec::new(),
        proofs: Vec::new(),
        recovers: true,
    }
}

fn steps(stage: &Stage<'_>, key: KeyId, revoke: &str) -> Vec<Step> {
    let paper = Paper::of(stage, Role::Root, key);
    let verb = format!("rotate root --old {key} --new {}{revoke}", paper.new_key);
    let out = paper.free(&format!("root.{}.bundle", stage.root.version() + 1));
    let mut steps = vec![paper.make_key("for whoever is to hold it")];
    steps.extend(paper.next_root("Draft the root without the old one", &verb));
    steps.push(Step::new(
        "Send it with the next bundle; no license falls",
        [format!(
            "license-tool bundle {} --root {}{} --out {out}",
            paper.new_root,
            paper.old_root,
            paper.known()
        )],
    ));
    steps.push(paper.kernel_step(&[out]));
    steps
}

/// Nobody can sign the next root: all begins anew, by hand.
fn by_hand(stage: &Stage<'_>, gone: KeyId, meanwhile: &str) -> Vec<Step> {
    let root = stage.root.root();
    let paper = Paper::of(stage, Role::Root, gone);
    let keys = ["root-new-1.key", "root-new-2.key", "root-new-3.key"].map(|key| paper.free(key));
    let out = paper.free("new-root.1.json");
    let mut init = format!(
        "license-tool root init --issuer {} --issuer-id {} --root-threshold 2",
        quoted(&root.issuer.name),
        root.issuer.id
    );
    for key in &keys {
        init.push_str(&format!(" --root-key {key}"));
    }
    // The other keys stay what they are: their public halves are enough.
    for (role, listed) in root.roles().into_iter().filter(|(role, _)| *role != Role::Root) {
        for public_key in listed.key_ids.iter().filter_map(|id| root.key(*id)) {
            init.push_str(&format!(" --{role}-key {public_key}"));
        }
        init.push_str(&format!(" --{role}-threshold {}", listed.threshold));
    }
    for ca in &root.kernel_ca {
        init.push_str(&format!(" --kernel-ca {ca}"));
    }
    init.push_str(&format!(" --out {out}"));
    vec![
        Step::new(format!("{meanwhile} {} ends, at {}.", root.version, root.expires), []),
        Step::new(
            "Nobody can sign the next root. Make a new first root, with several root keys this \
             time; licenses by the license keys that it lists hold under it, too",
            keys.iter().map(|key| format!("license-tool keygen {key}")).chain([init]),
        ),
        Step::new(
            "Read its hash, and carry it apart from the file",
            [format!("license-tool root show {out}")],
        ),
        Step::new(
            "Set every site up anew with it, by hand: a first root is installed once, by \
             `farhold trust install` with the file and that hash. Then the site imports its license \
             again; one that needs root 2 or a later one is issued anew first",
            [],
        ),
    ]
}
