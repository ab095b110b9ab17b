//! `farhold-kernel ca rotate`.

use std::path::Path;

use farhold_terminal::{Failure, stdout, text};

use crate::{
    cli::session::Session,
    init::InitError,
    rotate::{Rotated, rotate},
    storage::StorageError,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let data = session.data();
        let rotated = rotate(&data).map_err(|error| running(error, data.path()))?;
        if session.json() {
            return stdout::json(&rotated);
        }
        let folder = data.path().display().to_string();
        stdout::write(described(&rotated, &folder).as_bytes())
    }
}

/// A Kernel that runs would go on under the CA it read.
fn running(error: InitError, folder: &Path) -> anyhow::Error {
    if !matches!(error, InitError::Storage(StorageError::InUse)) {
        return error.into();
    }
    let what = format!("the Kernel of {} is running", folder.display());
    let action = "Stop it, rotate its CA, and start it again.";
    Failure::new(error.code(), what).action(action).into()
}

fn described(rotated: &Rotated, folder: &str) -> String {
    let facts = text::facts(&[
        ("new CA sha256", rotated.ca_sha256.to_string()),
        ("old CA sha256", rotated.before_sha256.to_string()),
    ]);
    format!(
        "Made a new CA. It issues from the Kernel's next start; the old one vouches for it, so that \
         no site is stranded.\n{facts}\
         Now start the Kernel:\n  \
         farhold-kernel run --data {folder}\n\
         Then have the vendor's next trust root list the new one beside the old one, and upload it:\n  \
         license-tool root renew … --kernel-ca {}\n\
         (with --kernel-ca {}, too, if the root lists none yet)\n",
        rotated.ca_sha256, rotated.before_sha256
    )
}
