//! Press: rows become signed lines.

use std::ops::Range;

use farhold_bundle::{Draft, Envelope, KeyId, LIMITS, Signer, TrustRoot, payload::License};
use farhold_contract::Code;
use farhold_ledger::Issue;

use super::{
    batch::Batch,
    caster::Caster,
    plan::{Place, Plan},
    shelf::Shelf,
};
use crate::{file, issue::Next, refusal::Refusal, template::Stamp};

/// Makes signed lines: shared by all cores.
pub struct Press<'a> {
    /// The rows.
    pub batch: &'a Batch,
    /// Which serial each gets.
    pub plan: &'a Plan,
    /// The root that they are signed under.
    pub root: &'a TrustRoot,
    /// Who signs each of them.
    pub signers: &'a [&'a (dyn Signer + Sync)],
}

/// The licenses of a part: their lines one after the other, each with its line feed.
pub(super) struct Made {
    pub(super) there: u64,
    pub(super) lines: Vec<u8>,
    pub(super) signed: Vec<Signed>,
}

/// One license of a part.
pub(super) struct Signed {
    pub(super) next: Next,
    /// Where its line ends.
    pub(super) end: usize,
    /// What the ledger keeps of it.
    pub(super) issue: Issue,
}

/// Most licenses have fewer bytes as a line.
const LINE_BYTES: usize = 2048;

impl Press<'_> {
    /// Which places' files are there already; one of them that is not the license refuses all. What
    /// an interrupted run has left unfinished is taken away.
    pub(super) fn present(&self, shelf: &Shelf) -> Result<Vec<bool>, Refusal> {
        let mut present = vec![false; self.plan.rows.len()];
        for (at, place) in self.plan.rows.iter().enumerate() {
            shelf.clear(place.next.stamp())?;
            let Some(path) = shelf.has(place.next.stamp()) else { continue };
            let line = file::read_regular(&path, LIMITS.envelope_bytes + 1).unwrap_or_default();
            let is_it = line
                .strip_suffix(b"\n")
                .is_some_and(|line| self.is_line_of(at, line) || self.is_former_line_of(at, line));
            if !is_it {
                let what = format!("{} exists already and is another license", path.display());
                return Err(Refusal::new(Code::OutputExists, what)
                    .with_next("Give another folder, or move the file away yourself."));
            }
            present[at] = true;
        }
        Ok(present)
    }

    /// Whether a line is the license of a place: the same payload, signed as it must be.
    pub(super) fn is_line_of(&self, at: usize, line: &[u8]) -> bool {
        self.same_payload(at, line)
            .is_some_and(|envelope| self.root.verify::<License>(envelope).is_ok())
    }

    /// Whether a line is the license of a place by a key that was rotated since. The root has that
    /// key no more to verify by; the ledger has the payload, and the line stays as it is.
    fn is_former_line_of(&self, at: usize, line: &[u8]) -> bool {
        let revoked = &self.root.root().revoked_keys;
        self.plan.rows.get(at).is_some_and(Place::is_former)
            && self
                .same_payload(at, line)
                .is_some_and(|envelope| !envelope.key_ids().any(|key| revoked.contains(&key)))
    }

    /// A line that has the payload that the ledger knows of a place.
    fn same_payload(&self, at: usize, line: &[u8]) -> Option<Envelope> {
        let Next::Known(stamp) = self.plan.rows.get(at)?.next else { return None };
        let mut caster = self.batch.caster();
        let (draft, _) = draft(&mut caster, at, stamp).ok()?;
        let envelope = Envelope::open(line).ok()?;
        (envelope.danger_unverified_payload() == draft.payload()).then_some(envelope)
    }

    pub(super) fn sign(&self, part: Range<usize>, present: &[bool]) -> Result<Made, Refusal> {
        let mut made = Made {
            there: 0,
            lines: Vec::with_capacity(part.len() * LINE_BYTES),
            signed: Vec::with_capacity(part.len()),
        };
        let mut caster = self.batch.caster();
        let signers: Vec<&dyn Signer> =
            self.signers.iter().map(|signer| *signer as &dyn Signer).collect();
        let keys: Vec<KeyId> = self.signers.iter().map(|signer| signer.public_key().id()).collect();
        for at in part {
            if present[at] {
                made.there += 1;
                continue;
            }
            let next = self.plan.rows[at].next;
            let (draft, license) = draft(&mut caster, at, next.stamp())?;
            let line = draft.seal(&signers)?;
            // The first pass has measured it; what no site reads is never entered.
            if line.len() > LIMITS.envelope_bytes {
                let what = format!("license {} would be too large to be read", license.license_id);
                return Err(Refusal::new(Code::EnvelopeTooLarge, what));
            }
            // One of a part shows that root, keys and threshold agree; all are made alike.
            if made.signed.is_empty() {
                self.root.verify::<License>(Envelope::open(&line)?)?;
            }
            made.lines.extend_from_slice(&line);
            made.lines.push(b'\n');
            let mut issue = Issue::of(license, draft.sha256(), keys.clone());
            issue.rehosts_per_year = self.batch.rehosts_per_year();
            made.signed.push(Signed { next, end: made.lines.len(), issue });
        }
        Ok(made)
    }
}

/// The license of a row in the bytes that are signed.
fn draft<'c>(
    caster: &'c mut Caster<'_>,
    at: usize,
    stamp: Stamp,
) -> Result<(Draft, &'c License), Refusal> {
    // The first pass has cast it and held it to every rule.
    let license = caster.cast(at, stamp).map_err(|mistake| mistake.refuse())?;
    Ok((Draft::danger_unread(license)?, license))
}
