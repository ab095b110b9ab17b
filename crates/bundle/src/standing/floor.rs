//! Floor: the latest date that what stands proves to have come (`bundle.md` §5.2, §5.6).

use std::collections::{BTreeMap, BTreeSet};

use farhold_contract::{Sha256Digest, Timestamp};

use super::{LineKey, Standing};

/// Documents whose dates a clock reset has shown to be wrong, by their hashes.
pub type SetAside = BTreeSet<Sha256Digest>;

impl Standing {
    /// The greatest `issued_at` of the root, the revocations, and each line's newest license that
    /// holds: proof that that time has come. What is set aside does not count.
    pub fn floor(&self, set_aside: &SetAside) -> Timestamp {
        let root = self.root().map(|root| (root.root().issued_at, root.root().sha256()));
        let revocations = self.revocations().map(|list| (list.issued_at, list.sha256()));
        let mut newest: BTreeMap<LineKey, _> = BTreeMap::new();
        for license in self.licenses.iter().filter(|license| !self.revokes(license)) {
            newest.insert(LineKey::of(license), (license.issued_at, license.sha256()));
        }
        root.into_iter()
            .chain(revocations)
            .chain(newest.into_values())
            .filter(|(_, sha256)| !set_aside.contains(sha256))
            .map(|(issued_at, _)| issued_at)
            .max()
            .unwrap_or(Timestamp::MIN)
    }

    /// What a clock reset to this time sets aside: each document that stands and is dated later.
    pub fn dated_after(&self, time: Timestamp) -> SetAside {
        let later = self.dated().filter(|&(issued_at, _)| issued_at > time);
        later.map(|(_, sha256)| sha256).collect()
    }

    /// What is still set aside: what was, and stands. What came since counts.
    pub fn still_set_aside(&self, before: &SetAside) -> SetAside {
        self.dated().map(|(_, sha256)| sha256).filter(|sha256| before.contains(sha256)).collect()
    }

    /// Every document's date and hash; also of those that could come back.
    fn dated(&self) -> impl Iterator<Item = (Timestamp, Sha256Digest)> {
        let roots = self.roots.iter().map(|root| (root.root().issued_at, root.root().sha256()));
        let lists = self.revocations.iter().map(|list| (list.issued_at, list.sha256()));
        let licenses = self.licenses.iter().map(|license| (license.issued_at, license.sha256()));
        roots.chain(lists).chain(licenses)
    }
}
