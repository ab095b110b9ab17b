//! `config-valid`: every source of the configuration reads, and says what it must.

use super::{Site, Verdict};

pub(super) const ID: &str = "config-valid";

pub(super) fn examine(site: &Site) -> Verdict {
    match site.config() {
        Err(error) => Verdict::failed(error.to_string(), error.next_action()),
        Ok(config) if config.mode.is_none() => Verdict::warning(
            "the configuration is good, but sets no mode: every check is answered with mode none",
            "Set mode and tenant_id in agent.toml; farhold config default explains them.",
        ),
        Ok(_) => Verdict::ok("the configuration is good"),
    }
}
