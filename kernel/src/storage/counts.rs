//! Counts: how much there is of everything.

use super::{Storage, StorageError, column::get, statement};

/// How much there is, of all organizations; the administration's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Organizations.
    pub tenants: u64,
    /// Agents.
    pub agents: u64,
    /// Runtimes.
    pub runtimes: u64,
    /// Alerts that nobody has acknowledged.
    pub open_alerts: u64,
}

impl Storage {
    /// How much there is of everything.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn counts(&self) -> Result<Counts, StorageError> {
        let open_alerts = self
            .read(|sql| {
                let open = "SELECT count(*) FROM alert WHERE acknowledged_at IS NULL";
                statement::one(sql, "alert", open, [], |row| get(row, 0))
            })
            .await?
            .unwrap_or(0);
        let (tenants, agents, runtimes) = self.directory().sizes();
        Ok(Counts {
            tenants: tenants as u64,
            agents: agents as u64,
            runtimes: runtimes as u64,
            open_alerts,
        })
    }
}
