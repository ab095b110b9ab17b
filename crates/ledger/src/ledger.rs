//! Ledger: what all its entries amount to.

use std::collections::BTreeMap;

use farhold_bundle::{LineKey, Positive};
use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{IssuerId, LicenseId},
};

use crate::{
    act::{Act, Kind},
    broken::Broken,
    chain::Chain,
    conflict::Conflict,
    contract::{Contract, Signing},
    entry::{Entry, Head},
    issue::Issue,
    limits::LIMITS,
    line,
    product_line::{Clash, Gap, ProductLine},
    setback::Setback,
};

/// Every entry of a ledger, taken together.
#[derive(Debug, Clone)]
pub struct Ledger {
    chain: Chain,
    issuer: Option<IssuerId>,
    contracts: BTreeMap<LicenseId, Box<Contract>>,
    lines: BTreeMap<LineKey, ProductLine>,
    break_glass: Vec<Issue>,
    last_at: Option<Timestamp>,
    setbacks: Vec<Setback>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::empty()
    }
}

impl Ledger {
    /// Before the first line.
    pub const fn empty() -> Self {
        Self {
            chain: Chain::begin(),
            issuer: None,
            contracts: BTreeMap::new(),
            lines: BTreeMap::new(),
            break_glass: Vec::new(),
            last_at: None,
            setbacks: Vec::new(),
        }
    }

    /// Begins a ledger: itself, and its first line.
    pub fn begin(issuer: IssuerId, at: Timestamp) -> (Self, Vec<u8>) {
        let mut ledger = Self::empty();
        let mut begun = Act::Begun { issuer };
        let (line, next) = ledger.write(at, &mut begun);
        ledger.follow(next, at, begun);
        (ledger, line)
    }

    /// Reads and verifies a whole ledger.
    ///
    /// # Errors
    /// [`Broken`] names the first line that does not follow. Of an empty file it is the first.
    pub fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let mut ledger = Self::empty();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            ledger.take(line)?;
        }
        match ledger.issuer {
            Some(_) => Ok(ledger),
            None => Err(Broken::Beginning { line: 1 }),
        }
    }

    /// Takes the next line of a ledger that is being read, with its line feed.
    ///
    /// # Errors
    /// [`Broken`]: the line does not follow.
    pub fn take(&mut self, line: &[u8]) -> Result<Entry, Broken> {
        let entry = self.chain.take(line)?;
        self.absorb(entry.seq, entry.at, entry.act.clone());
        Ok(entry)
    }

    /// Takes what stands after the last line feed of a ledger that was read to there: a whole entry
    /// that lacks its line feed alone, or `None` for a piece of one (`specs/ledger.md` §6.2).
    ///
    /// # Errors
    /// [`Broken`]: it is whole by its form and does not follow. No interruption makes such a line.
    pub fn take_tail(&mut self, tail: &[u8]) -> Result<Option<Entry>, Broken> {
        if !line::is_whole(tail) {
            return Ok(None);
        }
        self.take(&[tail, b"\n"].concat()).map(Some)
    }

    /// Adds an entry: the line with its line feed, to be durable before the license is written
    /// anywhere.
    ///
    /// What was issued without the ledger at hand is a fact and always enters; [`Ledger::clashes`]
    /// shows what it contradicts. After a refusal the ledger is as it was.
    ///
    /// # Errors
    /// [`Conflict`]: the license may not be issued like this, or nobody could read its line back
    /// (`specs/ledger.md` §1.1).
    pub fn append(&mut self, at: Timestamp, mut act: Act) -> Result<Vec<u8>, Conflict> {
        match (&act, self.issuer) {
            (Act::Begun { .. }, Some(_)) => return Err(Conflict::Beginning),
            (Act::Begun { .. }, None) => {}
            (_, None) => return Err(Conflict::Beginning),
            (Act::Issued(issue) | Act::Rehosted(issue), Some(_)) => self.admits(issue)?,
            _ => {}
        }
        let (line, next) = self.write(at, &mut act);
        if line.len() > LIMITS.line_bytes {
            return Err(Conflict::TooLong { bytes: line.len(), most: LIMITS.line_bytes });
        }
        self.follow(next, at, act);
        Ok(line)
    }

    /// Whether a license may be issued like this.
    ///
    /// # Errors
    /// [`Conflict`]: it may not.
    pub fn admits(&self, issue: &Issue) -> Result<(), Conflict> {
        let line = issue.line();
        if let Some(contract) = self.contracts.get(&issue.license_id)
            && contract.newest.line() != line
        {
            return Err(Conflict::OtherLine {
                license_id: issue.license_id,
                product: contract.newest.product.clone(),
            });
        }
        self.lines.get(&line).map_or(Ok(()), |line| line.admits(issue))
    }

    /// Where it stands.
    pub const fn head(&self) -> Head {
        self.chain.head()
    }

    /// Whose licenses it is about; absent before the first line.
    pub const fn issuer(&self) -> Option<IssuerId> {
        self.issuer
    }

    /// Every license, by its id.
    pub fn contracts(&self) -> impl ExactSizeIterator<Item = &Contract> {
        self.contracts.values().map(Box::as_ref)
    }

    /// One license.
    pub fn contract(&self, license_id: LicenseId) -> Option<&Contract> {
        self.contracts.get(&license_id).map(Box::as_ref)
    }

    /// The licenses of one line, by their ids.
    pub fn contracts_of(&self, line: &LineKey) -> impl Iterator<Item = &Contract> {
        let ids = self.lines.get(line).into_iter().flat_map(ProductLine::contracts);
        ids.filter_map(|id| self.contract(id))
    }

    /// The highest serial of a line, if it has one.
    pub fn highest_serial(&self, line: &LineKey) -> Option<Positive> {
        self.lines.get(line).and_then(ProductLine::highest)
    }

    /// The serial that a line's next license gets; absent when there is none left.
    pub fn next_serial(&self, line: &LineKey) -> Option<Positive> {
        self.highest_serial(line)
            .map_or(Some(Positive::MIN), |highest| Positive::new(highest.as_u64() + 1))
    }

    /// Whether a license was signed in this serial with this payload.
    pub fn has(&self, license_id: LicenseId, serial: Positive, sha256: Sha256Digest) -> bool {
        self.contracts.get(&license_id).is_some_and(|contract| contract.has(serial, sha256))
    }

    /// How often a license was moved to another machine after an instant.
    pub fn rehosts_since(&self, license_id: LicenseId, since: Timestamp) -> usize {
        self.contracts.get(&license_id).map_or(0, |contract| contract.rehosts_since(since))
    }

    /// Serials that two different licenses carry.
    pub fn clashes(&self) -> Vec<Clash> {
        self.lines.iter().flat_map(|(key, line)| line.clashes(key)).collect()
    }

    /// Serials that no entry has, between two that entries have.
    pub fn gaps(&self) -> Vec<Gap> {
        self.lines.iter().flat_map(|(key, line)| line.gaps(key)).collect()
    }

    /// Licenses met outside of the ledger whose slip has not come in, in the order of the ledger.
    pub fn open_break_glass(&self) -> impl ExactSizeIterator<Item = &Issue> {
        self.break_glass.iter()
    }

    /// Entries dated before the one that each follows, by more than clocks are apart, in their order.
    pub fn setbacks(&self) -> &[Setback] {
        &self.setbacks
    }

    /// Writes the next entry, and where the ledger will stand after it.
    fn write(&self, at: Timestamp, act: &mut Act) -> (Vec<u8>, Head) {
        if let Act::Issued(issue)
        | Act::Rehosted(issue)
        | Act::BreakGlass(issue)
        | Act::Entered(issue) = &mut *act
        {
            let before = self.contracts.get(&issue.license_id).map(|known| known.newest.serial);
            issue.replaces = before.filter(|serial| *serial < issue.serial);
        }
        let head = self.chain.head();
        let (line, hash) = line::write(head, at, act);
        (line, Head { seq: head.seq + 1, hash })
    }

    /// Takes in an entry that it wrote.
    fn follow(&mut self, next: Head, at: Timestamp, act: Act) {
        self.chain.advance(next);
        self.absorb(next.seq, at, act);
    }

    fn absorb(&mut self, seq: u64, at: Timestamp, act: Act) {
        let before = self.last_at.replace(at);
        self.setbacks.extend(before.and_then(|before| Setback::between(before, seq, at)));
        let signing = Signing { seq, kind: act.kind(), at };
        match act {
            Act::Begun { issuer } => self.issuer = Some(issuer),
            Act::Released(release) => {
                if let Some(contract) = self.contracts.get_mut(&release.license_id) {
                    contract.release(at, release);
                }
            }
            Act::Issued(issue)
            | Act::Rehosted(issue)
            | Act::BreakGlass(issue)
            | Act::Entered(issue) => {
                match signing.kind {
                    Kind::BreakGlass => self.break_glass.push(issue.clone()),
                    Kind::Entered => self.close(&issue),
                    _ => {}
                }
                self.lines.entry(issue.line()).or_default().take(seq, &issue);
                match self.contracts.get_mut(&issue.license_id) {
                    Some(contract) => contract.take(signing, issue),
                    None => {
                        let id = issue.license_id;
                        self.contracts.insert(id, Box::new(Contract::begin(signing, issue)));
                    }
                }
            }
        }
    }

    /// A slip came in: the license is no longer open.
    fn close(&mut self, issue: &Issue) {
        self.break_glass.retain(|met| {
            (met.license_id, met.serial, met.sha256)
                != (issue.license_id, issue.serial, issue.sha256)
        });
    }
}
