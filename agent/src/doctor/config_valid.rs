//! `config-valid`: every source of the configuration reads, and says what it must.

use super::{Site, Verdict};

pub(super) const ID: &str = "config-valid";

pub(super) fn examine(site: &Site) -> Verdict {
    match site.config() {
        Err(error) => Verdict::failed(error.to_string(), error.next_action()),
        Ok(config) if config.mode.is_none() && !is_enrolled(site) => Verdict::warning(
            "the configuration is good, but sets no mode: every check is answered with mode none",
            "Enroll with farhold enroll, or set mode and tenant_id in agent.toml.",
        ),
        Ok(_) => Verdict::ok("the configuration is good"),
    }
}

/// Whoever enrolled has decided the mode; an agent that can't be asked has not said so.
fn is_enrolled(site: &Site) -> bool {
    site.status().is_ok_and(|status| status.mode.is_some())
}
