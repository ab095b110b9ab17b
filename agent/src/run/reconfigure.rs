//! Reconfiguring: the configuration read again, while the agent serves.

use farhold_contract::condition::ConditionCode;

use crate::{
    config::{Config, ConfigError},
    health::Health,
};

/// A bad new file keeps the old configuration, and says so.
pub(super) fn reconfigure(
    config: &Config,
    reload: impl Fn() -> Result<Config, ConfigError>,
    health: &Health,
) {
    match reload() {
        Ok(new) if new == *config => health.clear(ConditionCode::ConfigRejected),
        Ok(_) => {
            health.clear(ConditionCode::ConfigRejected);
            tracing::info!("the configuration has changed; it takes effect at the next start");
        }
        Err(error) => {
            let reason = crate::error_chain(&error).to_string();
            tracing::error!(%reason, "the changed configuration is wrong; the one before it stays in use");
            health.raise(ConditionCode::ConfigRejected, reason);
        }
    }
}
