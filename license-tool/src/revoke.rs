//! Revoke: the next generation of revocations.

use std::collections::{BTreeMap, BTreeSet};

use farhold_bundle::{
    Envelope, LineKey, Positive, Signer, TrustRoot, Verified, add_signature,
    payload::{Revocations, Role, SerialsBelow},
    seal,
};
use farhold_contract::{Code, Timestamp, id::LicenseId};

use crate::{issue::require_role, refusal::Refusal};

/// What the next generation says otherwise than the one before.
#[derive(Debug, Clone, Default)]
pub struct Revoking {
    /// Licenses that no longer hold, in any serial.
    pub licenses: Vec<LicenseId>,
    /// Lines of which the serials below a bound no longer hold.
    pub serials_below: Vec<(LineKey, Positive)>,
    /// Licenses that hold again: only where a loss is allowed.
    pub restored: Vec<LicenseId>,
}

/// What a next generation takes back of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// A license that holds again.
    License(LicenseId),
    /// A line of which lower serials hold again.
    Line(LineKey),
}

/// The generation after `before`, or the first, and what it takes back.
///
/// # Errors
/// `usage.invalid` where it would say nothing new, or no generation is left.
pub fn next_generation(
    root: &TrustRoot,
    before: Option<&Revocations>,
    revoking: &Revoking,
    issued_at: Timestamp,
) -> Result<(Revocations, Vec<Loss>), Refusal> {
    let mut losses = Vec::new();
    let mut licenses: BTreeSet<LicenseId> =
        before.map(|before| before.licenses.iter().copied().collect()).unwrap_or_default();
    let mut bounds: BTreeMap<LineKey, Positive> = before
        .map(|before| {
            before.serials_below.iter().map(|below| (line_of(below), below.serial)).collect()
        })
        .unwrap_or_default();
    let unchanged = (licenses.clone(), bounds.clone());
    for id in &revoking.restored {
        if !licenses.remove(id) {
            return Err(Refusal::usage(
                format!("license {id} is not revoked by generation {}", number(before)),
                "Leave out --restore, or give the generation that revokes it as --from.",
            ));
        }
        losses.push(Loss::License(*id));
    }
    licenses.extend(&revoking.licenses);
    for (line, serial) in &revoking.serials_below {
        let earlier = bounds.insert(line.clone(), *serial);
        if earlier.is_some_and(|earlier| earlier > *serial) {
            losses.push(Loss::Line(line.clone()));
        }
    }
    if before.is_some() && unchanged == (licenses.clone(), bounds.clone()) && !revoking.is_empty() {
        return Err(Refusal::usage(
            format!("generation {} says all of this already", number(before)),
            "Nothing is to be done; or leave it all out to sign the same list anew.",
        ));
    }
    let generation = match before {
        Some(before) => Positive::new(before.generation.as_u64() + 1).ok_or_else(|| {
            Refusal::usage(
                "there is no generation after the last number",
                "Revoke the key that signed it, and give the last true generation as --from.",
            )
        })?,
        None => Positive::MIN,
    };
    let serials_below = bounds
        .into_iter()
        .map(|(line, serial)| SerialsBelow {
            tenant_id: line.tenant_id,
            product: line.product,
            serial,
        })
        .collect();
    let revocations = Revocations {
        issuer: root.root().issuer.id,
        generation,
        issued_at,
        licenses: licenses.into_iter().collect(),
        serials_below,
        critical: Vec::new(),
    };
    Ok((revocations, losses))
}

/// Signs revocations by keys of the root's revocation role; what is returned has been verified
/// under the root, as a site would.
///
/// # Errors
/// `trust.root_expired`, `signature.*` for a key that may not sign, `payload.*`.
pub fn sign(
    root: &TrustRoot,
    revocations: &Revocations,
    signers: &[&dyn Signer],
) -> Result<Verified<Revocations>, Refusal> {
    let ends = root.root().expires;
    if ends <= revocations.issued_at {
        let what = format!("root {} ended at {ends}; no site would take them", root.version());
        return Err(Refusal::new(Code::TrustRootExpired, what)
            .with_next("Make the next root first, then revoke under it."));
    }
    for signer in signers {
        require_role(root, *signer, Role::Revocation)?;
    }
    let [first, others @ ..] = signers else {
        return Err(Refusal::usage("no key was given", "Give --key with a revocation key."));
    };
    let mut line = seal(revocations, *first)?;
    for signer in others {
        line = add_signature(&line, *signer)?;
    }
    Ok(root.verify(Envelope::open(&line)?)?)
}

impl Revoking {
    fn is_empty(&self) -> bool {
        self.licenses.is_empty() && self.serials_below.is_empty() && self.restored.is_empty()
    }
}

fn line_of(below: &SerialsBelow) -> LineKey {
    LineKey { tenant_id: below.tenant_id, product: below.product.clone() }
}

fn number(before: Option<&Revocations>) -> u64 {
    before.map_or(0, |before| before.generation.as_u64())
}
