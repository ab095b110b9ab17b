//! Revoke: the next generation of revocations.

use std::collections::{BTreeMap, BTreeSet};

use farhold_bundle::{
    Envelope, LineKey, Positive, TrustRoot, Verified,
    payload::{Revocations, Root, SerialsBelow},
};
use farhold_contract::{Code, Timestamp, id::LicenseId};

use crate::{
    draft::{Drafted, require_unended},
    refusal::Refusal,
};

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
    let had = Bounds::of(before);
    let mut has = had.clone();
    for id in &revoking.restored {
        if !has.licenses.remove(id) {
            return Err(Refusal::usage(
                format!("license {id} is not revoked by generation {}", number(before)),
                "Leave out --restore, or give the generation that revokes it as --from.",
            ));
        }
    }
    has.licenses.extend(&revoking.licenses);
    has.lines.extend(revoking.serials_below.iter().cloned());
    if before.is_some() && had == has && !revoking.is_empty() {
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
    let below = |(line, serial): (LineKey, Positive)| SerialsBelow {
        tenant_id: line.tenant_id,
        product: line.product,
        serial,
    };
    let revocations = Revocations {
        issuer: root.root().issuer.id,
        generation,
        issued_at,
        licenses: has.licenses.into_iter().collect(),
        serials_below: has.lines.into_iter().map(below).collect(),
        critical: Vec::new(),
    };
    let losses = changes(before, &revocations).losses;
    Ok((revocations, losses))
}

impl Drafted for Revocations {
    type Signed = Verified<Self>;

    fn asked<'a>(&'a self, root: &'a TrustRoot) -> (Option<&'a Root>, &'a Root) {
        (None, root.root().content())
    }

    fn require_fits(&self, root: &TrustRoot) -> Result<(), Refusal> {
        if self.issuer != root.root().issuer.id {
            let what = format!(
                "the revocations are {}'s; the root given is {}'s",
                self.issuer,
                root.root().issuer.id
            );
            return Err(Refusal::new(Code::TrustIssuer, what));
        }
        require_unended(root, self.issued_at)
    }

    fn verify(envelope: Envelope, root: &TrustRoot) -> Result<Self::Signed, Refusal> {
        Ok(root.verify(envelope)?)
    }
}

/// What a generation says otherwise than the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Licenses that no longer hold.
    pub licenses: Vec<LicenseId>,
    /// Lines of which serials below a bound no longer hold.
    pub serials_below: Vec<(LineKey, Positive)>,
    /// What is taken back.
    pub losses: Vec<Loss>,
}

/// What a generation says otherwise than the one before.
pub fn changes(before: Option<&Revocations>, list: &Revocations) -> Changes {
    let (had, has) = (Bounds::of(before), Bounds::of(Some(list)));
    let mut losses: Vec<Loss> =
        had.licenses.difference(&has.licenses).copied().map(Loss::License).collect();
    let lowered =
        |(line, bound): &(&LineKey, &Positive)| has.lines.get(*line).is_none_or(|now| now < *bound);
    losses.extend(had.lines.iter().filter(lowered).map(|(line, _)| Loss::Line(line.clone())));
    let raised = |(line, bound): &(&LineKey, &Positive)| {
        had.lines.get(*line).is_none_or(|before| before < *bound)
    };
    Changes {
        licenses: has.licenses.difference(&had.licenses).copied().collect(),
        serials_below: has
            .lines
            .iter()
            .filter(raised)
            .map(|(line, bound)| (line.clone(), *bound))
            .collect(),
        losses,
    }
}

/// Refuses a generation that is no longer the next one: another one stands in its place or above.
///
/// # Errors
/// `usage.invalid`.
pub fn require_newest<'a>(
    list: &Revocations,
    known: impl IntoIterator<Item = &'a Revocations>,
) -> Result<(), Refusal> {
    let stands = known
        .into_iter()
        .filter(|known| known.generation >= list.generation && *known != list)
        .max_by_key(|known| known.generation);
    match stands {
        Some(newer) => Err(Refusal::usage(
            format!(
                "this is generation {}, and generation {} stands already: no site would take it",
                list.generation, newer.generation
            ),
            format!(
                "Make the next one after it: revoke --from the file of generation {}.",
                newer.generation
            ),
        )),
        None => Ok(()),
    }
}

/// What a list says, to be looked up.
#[derive(Default, PartialEq, Eq, Clone)]
struct Bounds {
    licenses: BTreeSet<LicenseId>,
    lines: BTreeMap<LineKey, Positive>,
}

impl Bounds {
    fn of(list: Option<&Revocations>) -> Self {
        let Some(list) = list else { return Self::default() };
        Self {
            licenses: list.licenses.iter().copied().collect(),
            lines: list.serials_below.iter().map(|below| (line_of(below), below.serial)).collect(),
        }
    }
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
