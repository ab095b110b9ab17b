//! Flags: the answer that products poll for, made once as long as nothing of it changes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use farhold_contract::{Code, Sha256Digest, call::flags::FlagsResponse, id::LicenseId};

use crate::refusal::Refusal;

/// The flags in force for a runtime, as they leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagsReply {
    /// The answer, as JSON.
    pub body: Bytes,
    /// Its hash, which is its tag.
    pub digest: Sha256Digest,
}

/// The answers made so far of one set of documents, by what they follow from.
#[derive(Debug, Default)]
pub struct FlagsMemo {
    made: Mutex<BTreeMap<Source, FlagsReply>>,
}

/// What an answer follows from, in a set of documents that does not change: the version asked for,
/// and for each flag the license that sets it now. So it turns with the time and with whoever asks,
/// without anybody being told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    version: String,
    set_by: Vec<(LicenseId, u64)>,
}

/// Answers kept of one set of documents: organizations times versions of their products. One beyond
/// it is made again each time.
const KEPT: usize = 4_096;

impl FlagsReply {
    /// Writes an answer.
    ///
    /// # Errors
    /// `server.internal` if it has no form in JSON.
    pub fn new(flags: &FlagsResponse) -> Result<Self, Refusal> {
        let body = Bytes::from(serde_json::to_vec(flags).map_err(|_| Code::ServerInternal)?);
        let digest = Sha256Digest::new(Sha256::digest(&body).into());
        Ok(Self { body, digest })
    }
}

impl FlagsMemo {
    /// The answer for a runtime of a version whose flags are set by these licenses, in their order;
    /// `flags` says what they are where it has not been made yet.
    ///
    /// # Errors
    /// `server.internal` if it has no form in JSON.
    pub fn reply(
        &self,
        version: &str,
        set_by: impl IntoIterator<Item = (LicenseId, u64)>,
        flags: impl FnOnce() -> FlagsResponse,
    ) -> Result<FlagsReply, Refusal> {
        let set_by = set_by.into_iter().collect();
        let source = Source { version: version.to_owned(), set_by };
        // Each change is one insert: whole, whatever happened to its thread.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = made.get(&source) {
            return Ok(reply.clone());
        }
        let reply = FlagsReply::new(&flags())?;
        if made.len() < KEPT {
            made.insert(source, reply.clone());
        }
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use farhold_contract::call::flags::SetFlag;

    use super::*;

    fn license(n: u8) -> LicenseId {
        format!("01939b6e-1111-7000-8000-0000000000{n:02x}").parse().unwrap()
    }

    fn flag(value: u64) -> FlagsResponse {
        let (product, key) = ("campus".to_owned(), "live".to_owned());
        FlagsResponse { flags: vec![SetFlag { product, key, value: value.into() }] }
    }

    #[test]
    fn an_answer_is_made_once_for_each_version_license_and_serial() {
        let (memo, made) = (FlagsMemo::default(), Cell::new(0));
        let reply = |version, set_by: &[(LicenseId, u64)]| {
            let make = || {
                made.set(made.get() + 1);
                flag(made.get())
            };
            memo.reply(version, set_by.iter().copied(), make).unwrap()
        };
        let first = reply("1.0.0", &[(license(1), 1)]);
        assert_eq!(reply("1.0.0", &[(license(1), 1)]), first);
        assert_eq!(made.get(), 1);
        for (version, set_by) in [
            ("1.0.1", vec![(license(1), 1)]),
            ("1.0.0", vec![(license(1), 2)]),
            ("1.0.0", vec![(license(2), 1)]),
            ("1.0.0", vec![(license(1), 1), (license(1), 1)]),
            ("1.0.0", vec![]),
        ] {
            assert_ne!(reply(version, &set_by).digest, first.digest, "{version} {set_by:?}");
        }
        assert_eq!(made.get(), 6);
        assert_eq!(first, FlagsReply::new(&flag(1)).unwrap());
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_not_kept_is_answered() {
        let memo = FlagsMemo::default();
        for n in 0..KEPT as u64 + 10 {
            let reply = memo.reply("1.0.0", [(license(1), n)], || flag(n)).unwrap();
            assert_eq!(reply, FlagsReply::new(&flag(n)).unwrap());
        }
        assert_eq!(memo.made.lock().unwrap().len(), KEPT);
    }
}
