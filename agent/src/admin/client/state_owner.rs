//! Root at work on another user's state directory: as that user, so that nothing is left behind
//! that the agent can't open tomorrow.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use rustix::{
    fs::{Gid, Uid},
    process::geteuid,
    thread::{set_thread_res_gid, set_thread_res_uid},
};

/// The user and the group of a state directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct StateOwner {
    uid: Uid,
    gid: Gid,
}

/// While it lives, this thread and the threads it starts are the owner.
pub(super) struct Acting;

impl StateOwner {
    /// Whose the directory is; `None` where this process has no choice, or none to make.
    pub(super) fn of(state_dir: &Path) -> Option<Self> {
        let metadata = fs::metadata(state_dir).ok()?;
        (geteuid().is_root() && metadata.uid() != 0).then(|| Self {
            uid: Uid::from_raw(metadata.uid()),
            gid: Gid::from_raw(metadata.gid()),
        })
    }

    /// Becomes the owner, until [`Acting`] is dropped: outputs are root's again.
    pub(super) fn act(self) -> io::Result<Acting> {
        // The group first: afterwards it may not be changed any more.
        set_thread_res_gid(Gid::ROOT, self.gid, Gid::ROOT)?;
        let acting = Acting;
        set_thread_res_uid(Uid::ROOT, self.uid, Uid::ROOT)?;
        Ok(acting)
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        // Both were kept as saved ids, so neither can be refused; if it were, the less is allowed.
        let _ = set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT);
        let _ = set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT);
    }
}
