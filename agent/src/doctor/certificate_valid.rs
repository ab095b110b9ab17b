//! `certificate-valid`: the agent's certificate holds, and will for a while.

use super::{Site, Verdict, told};

pub(super) const ID: &str = "certificate-valid";

/// Below this it should have been renewed long ago.
const SOON_SECONDS: u64 = 24 * 60 * 60;

pub(super) fn examine(site: &Site) -> Verdict {
    let status = match site.status() {
        Ok(status) => status,
        Err(error) => {
            return Verdict::failed(told(error), "Follow the next step of agent-running.");
        }
    };
    let Some(link) = &status.link else {
        return Verdict::ok("this site has no link that needs one");
    };
    let Some(ends) = link.certificate_ends else {
        return Verdict::failed(
            "the certificate can't be read",
            "Enroll anew with a new token: farhold enroll --anew FILE.",
        );
    };
    let left = ends.saturating_since(status.clock.wall);
    if left.is_zero() {
        return Verdict::warning(
            format!("it ended at {ends}"),
            "Check kernel-reachable and the clock; the device key renews it without a new token.",
        );
    }
    if left.as_secs() < SOON_SECONDS {
        return Verdict::warning(
            format!("it ends at {ends}"),
            "Check kernel-reachable: renewal is automatic, and has not come about.",
        );
    }
    Verdict::ok(format!("it ends at {ends} and is renewed before"))
}
