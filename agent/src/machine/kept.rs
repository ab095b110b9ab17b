//! What is kept of the machine: in the database, and in a second copy beside it.
//!
//! The salt is what every binding hangs on, and a license given up must stay given up: a torn
//! database must lose neither.

use std::{collections::BTreeMap, io, path::Path};

use serde::{Deserialize, Serialize};

use farhold_bundle::Positive;
use farhold_contract::id::LicenseId;
use farhold_store::{Store, StoreError};

use crate::file;

use super::memory::Memory;

/// Under which name the database keeps what is known of the machine.
pub const MACHINE: &str = "machine";
/// Under which name the database keeps the licenses given up.
pub const RELEASED: &str = "released_licenses";
/// The second copy's name in the state directory.
pub const COPY: &str = "machine.json";

/// Thousands of licenses given up fit in.
const COPY_MAX_BYTES: usize = 1 << 20;

/// Licenses given up at this machine, each with the last serial that was.
pub type Released = BTreeMap<LicenseId, Positive>;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What is known of the machine; none before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Memory>,
    /// The licenses given up.
    #[serde(default)]
    pub released: Released,
}

/// What both copies hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What is kept.
    pub kept: Kept,
    /// Whether the database holds all of it.
    pub in_database: bool,
    /// Whether the second copy does.
    pub in_copy: bool,
}

impl Kept {
    /// What the database and its second copy hold together: the memory of the database goes
    /// before the copy's, and what either knows to be given up is.
    ///
    /// # Errors
    /// [`StoreError`]. A copy that can't be read costs only what the database has lost, too.
    pub fn load(store: &Store, state_dir: &Path) -> Result<Found, StoreError> {
        let copy = read_copy(state_dir);
        let first = Self {
            machine: store.own::<Memory>(MACHINE)?,
            released: store.own::<Released>(RELEASED)?.unwrap_or_default(),
        };
        let mut kept = first.clone();
        kept.machine = kept.machine.or_else(|| copy.machine.clone());
        for (&license_id, &serial) in &copy.released {
            let known = kept.released.entry(license_id).or_insert(serial);
            *known = (*known).max(serial);
        }
        let (in_database, in_copy) = (kept == first, kept == copy);
        Ok(Found { kept, in_database, in_copy })
    }

    /// Replaces the second copy.
    ///
    /// # Errors
    /// What the system said; the old copy is then still there.
    pub fn write_copy(&self, state_dir: &Path) -> io::Result<()> {
        file::replace_private(&state_dir.join(COPY), &serde_json::to_vec_pretty(self)?)
    }
}

fn read_copy(state_dir: &Path) -> Kept {
    let path = state_dir.join(COPY);
    let copy = match file::read(&path, COPY_MAX_BYTES) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Kept::default(),
        Err(error) => Err(error),
    };
    copy.unwrap_or_else(|error| {
        tracing::warn!(file = %path.display(), %error, "the second copy of what is known of the machine can't be read");
        Kept::default()
    })
}
