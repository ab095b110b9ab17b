//! Why the drop folder can't be used.

use std::path::PathBuf;

use rustix::fs::RawMode;

use crate::file::FileError;

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system refuses it.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is somebody else's.
    #[error("{} belongs to user {owner}, and the agent is user {agent}", .path.display())]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose it must be.
        agent: u32,
    },
    /// Somebody else may put files there.
    #[error("{} may be written by its group or by everybody (mode {mode:04o})", .path.display())]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: RawMode,
    },
}

impl FolderError {
    /// What to do.
    pub fn action(&self) -> String {
        match self {
            Self::File(FileError { path, .. }) => {
                format!("Check that {} is a folder, its disk, and its rights.", path.display())
            }
            Self::Owner { path, agent, .. } => format!("chown {agent} {}", path.display()),
            Self::Writable { path, .. } => format!("chmod go-w {}", path.display()),
        }
    }
}
