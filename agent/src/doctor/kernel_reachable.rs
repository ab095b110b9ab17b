//! `kernel-reachable`: a managed site's link works, as the running agent sees it.

use super::{Site, Verdict, told};

pub(super) const ID: &str = "kernel-reachable";

pub(super) fn examine(site: &Site) -> Verdict {
    let status = match site.status() {
        Ok(status) => status,
        Err(error) => {
            return Verdict::failed(told(error), "Follow the next step of agent-running.");
        }
    };
    let Some(link) = &status.link else {
        return match status.mode.as_deref() {
            Some("detached") => Verdict::ok("a detached site has no link"),
            _ => Verdict::warning(
                "this site is not enrolled at a Kernel",
                "Ask the vendor for an enrollment token and run farhold enroll, \
                 or set mode = \"detached\".",
            ),
        };
    };
    match (&link.failing, link.heard_at) {
        (Some(failing), _) => Verdict::warning(
            format!("{} does not answer as it should: {failing}", link.kernel),
            "Mend what is named; products are served meanwhile.",
        ),
        (None, Some(heard_at)) => {
            Verdict::ok(format!("{} answered at {heard_at}; {}", link.kernel, link.state))
        }
        (None, None) => Verdict::warning(
            format!("{} has not been asked yet", link.kernel),
            "Look again in a minute.",
        ),
    }
}
