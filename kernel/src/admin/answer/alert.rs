//! Alerts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use farhold_contract::{
    AlertCode, Timestamp,
    id::{RuntimeId, TenantId},
};

/// `GET /kernel/admin/alerts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertsAnswer {
    /// The alerts, newest first.
    pub alerts: Vec<AlertAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertAnswer {
    /// The alert.
    pub alert_id: String,
    /// Which of the closed list.
    pub code: AlertCode,
    /// The organization it concerns.
    pub tenant_id: TenantId,
    /// The agent it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// What was seen.
    pub detail: Value,
    /// How often.
    pub count: u64,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub action: String,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When it was seen last.
    pub last_at: Timestamp,
    /// When someone took it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// Who: the id of their token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
}
