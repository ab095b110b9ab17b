//! The trust root that a verb works under.

use std::path::{Path, PathBuf};

use farhold_bundle::TrustRoot;
use farhold_contract::Sha256Digest;

use crate::{file, refusal::Refusal};

/// Which root, and how it is known to be the right one.
#[derive(clap::Args)]
pub(crate) struct TrustArgs {
    /// The trust root
    #[arg(long, value_name = "FILE")]
    pub(crate) root: PathBuf,
    /// SHA-256 of the root's payload, carried apart from the file; without it, the file is trusted
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<Sha256Digest>,
}

impl TrustArgs {
    /// Opens the root.
    pub(crate) fn open(&self) -> Result<TrustRoot, Refusal> {
        open(&self.root, self.sha256)
    }
}

/// Opens a root, pinned by its hash if there is one.
pub(crate) fn open(path: &Path, sha256: Option<Sha256Digest>) -> Result<TrustRoot, Refusal> {
    let line = file::read_line(path)?;
    TrustRoot::install(&line, sha256).map_err(|reason| Refusal::from(reason).of_file(path))
}
