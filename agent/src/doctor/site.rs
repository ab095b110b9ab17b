//! What the checks examine: the configuration as read, and the running agent, asked once.

use std::{cell::OnceCell, time::Duration};

use serde::de::DeserializeOwned;

use crate::{
    admin::{
        answer::{LicensesAnswer, StatusAnswer, fingerprint::FingerprintAnswer},
        client::{AdminDoor, Ask},
    },
    config::{Config, ConfigError},
};

/// A healthy agent answers in milliseconds; an examination must not hang on a sick one.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(2);

/// What the checks examine.
pub struct Site {
    config: Result<Config, ConfigError>,
    status: OnceCell<anyhow::Result<StatusAnswer>>,
    licenses: OnceCell<anyhow::Result<LicensesAnswer>>,
    fingerprint: OnceCell<anyhow::Result<FingerprintAnswer>>,
}

impl Site {
    /// The site of a configuration, if it can be read.
    pub const fn new(config: Result<Config, ConfigError>) -> Self {
        Self {
            config,
            status: OnceCell::new(),
            licenses: OnceCell::new(),
            fingerprint: OnceCell::new(),
        }
    }

    /// The configuration, or why there is none.
    pub const fn config(&self) -> Result<&Config, &ConfigError> {
        self.config.as_ref()
    }

    /// What the running agent says of itself.
    ///
    /// # Errors
    /// Whatever kept it from answering.
    pub fn status(&self) -> Result<&StatusAnswer, &anyhow::Error> {
        self.status.get_or_init(|| self.ask("/statusz")).as_ref()
    }

    /// What the running agent says of its licenses.
    ///
    /// # Errors
    /// Whatever kept it from answering.
    pub fn licenses(&self) -> Result<&LicensesAnswer, &anyhow::Error> {
        self.licenses.get_or_init(|| self.ask("/admin/licenses")).as_ref()
    }

    /// What the running agent says of its machine.
    ///
    /// # Errors
    /// Whatever kept it from answering.
    pub fn fingerprint(&self) -> Result<&FingerprintAnswer, &anyhow::Error> {
        self.fingerprint.get_or_init(|| self.ask("/admin/fingerprint")).as_ref()
    }

    fn ask<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let config = match &self.config {
            Ok(config) => config,
            Err(error) => anyhow::bail!("the configuration can't be read: {error}"),
        };
        AdminDoor::socket(config.admin_socket())?.json(Ask::get(path).patience(ANSWER_TIME))
    }
}
