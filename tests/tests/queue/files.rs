//! Files: how many a test may have open at once; each end of a connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Whether so many are allowed, once everything is asked for that may be; a loud word if not.
pub(crate) fn are_allowed(test: &str, many: u64) -> bool {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= many);
    if enough(current) {
        return true;
    }
    let raised = Rlimit { current: maximum, maximum };
    if enough(maximum) && setrlimit(Resource::Nofile, raised).is_ok() {
        return true;
    }
    eprintln!("SKIPPED: {test}: {many} open files are more than this process may have");
    false
}
