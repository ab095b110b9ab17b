//! `drop-folder`: where one is configured, the agent can take bundles from it, and only the right
//! people can put them there.

use std::os::unix::fs::MetadataExt;

use crate::drop_folder;

use super::{Site, Verdict};

pub(super) const ID: &str = "drop-folder";

pub(super) fn examine(site: &Site) -> Verdict {
    let config = match site.config() {
        Ok(config) => config,
        Err(error) => return Verdict::failed(error.to_string(), error.next_action()),
    };
    let Some(folder) = &config.drop_folder else {
        return Verdict::ok("no drop folder is configured");
    };
    // The agent's user is whoever has its state: this check may be run by root.
    let agent_uid = match config.state_dir.symlink_metadata() {
        Ok(metadata) => metadata.uid(),
        Err(_) => rustix::process::geteuid().as_raw(),
    };
    match drop_folder::examine(folder, agent_uid) {
        Ok(()) => Verdict::ok(format!("bundles in {} are imported", folder.display())),
        Err(error) => {
            let what = format!("bundles are not taken: {}", crate::error_chain(&error));
            Verdict::warning(what, error.action())
        }
    }
}
