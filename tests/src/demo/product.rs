//! A product on the site: it asks, and never decides by itself.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::{Address, Answer};

use super::{contains, stage::Stage, until};

/// A registered runtime.
pub(super) struct Product<'s> {
    stage: &'s Stage,
    address: Address,
    tenant: String,
    token: String,
    runtime_id: String,
}

impl<'s> Product<'s> {
    /// A product with its token.
    pub(super) fn new(stage: &'s Stage, address: Address, tenant: &str, token: &str) -> Self {
        Self {
            stage,
            address,
            tenant: tenant.to_owned(),
            token: token.to_owned(),
            runtime_id: String::new(),
        }
    }

    /// Registers.
    pub(super) fn register(&mut self) -> Result<()> {
        let body = json!({
            "tenant_id": self.tenant, "runtime_type": "app", "deployment_mode": "on_prem",
            "version": "3.1.0", "capabilities": ["export", "report"],
        });
        let answer = self.post("/kernel/runtimes/register", &body)?;
        let said = answer.json().context("registration answers no JSON")?;
        ensure!(answer.status == 200, "registration was refused: {said}");
        self.runtime_id =
            said["runtime_id"].as_str().context("registration names no runtime")?.to_owned();
        self.stage.answer(&format!("registered as {}", self.runtime_id));
        Ok(())
    }

    /// Asks for a feature, and holds the answer against what is expected.
    pub(super) fn expect(
        &self,
        feature: &str,
        consume: Option<u64>,
        expected: &Value,
    ) -> Result<()> {
        let said = self.ask(feature, consume)?;
        ensure!(contains(&said, expected), "{feature}: expected {expected}, was told {said}");
        let asked = consume.map_or_else(
            || format!("may I {feature}?"),
            |units| format!("may I {feature}, {units} more?"),
        );
        let verdict = match (said["allowed"].as_bool(), said["reason"].as_str()) {
            (Some(true), _) => "yes".to_owned(),
            (_, reason) => format!("no: {}", reason.unwrap_or("no reason given")),
        };
        let left = said["usage"]["remaining"]
            .as_u64()
            .map_or_else(String::new, |left| format!(", {left} left"));
        self.stage.answer(&format!("{asked:<26} {verdict}{left}"));
        Ok(())
    }

    /// Asks until the answer is the one expected.
    pub(super) fn until_told(&self, feature: &str, expected: &Value) -> Result<()> {
        until("the Kernel's word to arrive", || Ok(contains(&self.ask(feature, None)?, expected)))?;
        self.expect(feature, None, expected)
    }

    /// Hands over audit events, and returns their ids.
    pub(super) fn events(&self, kind: &str, count: usize) -> Result<Vec<String>> {
        let ids: Vec<String> = (0..count).map(|_| uuid::Uuid::now_v7().to_string()).collect();
        ids.iter().try_for_each(|id| self.event(kind, id))?;
        self.stage.answer(&format!("{count} × event {kind} kept, durably"));
        Ok(ids)
    }

    fn ask(&self, feature: &str, consume: Option<u64>) -> Result<Value> {
        let mut body =
            json!({"tenant_id": self.tenant, "runtime_id": self.runtime_id, "feature": feature});
        if let Some(units) = consume {
            body["context"] = json!({"consume": units});
        }
        let answer = self.post("/kernel/entitlements/check", &body)?;
        answer.json().context("the check answers no JSON")
    }

    fn event(&self, kind: &str, event_id: &str) -> Result<()> {
        let event = json!({
            "event_id": event_id, "tenant_id": self.tenant, "runtime_id": self.runtime_id, "actor_type": "user",
            "actor_id": "ann", "type": kind, "timestamp": "2026-11-22T09:00:00Z", "correlation_id": "demo-1",
            "payload": {"from": "workstation 7"},
        });
        let answer = self.post("/kernel/audit/events", &json!({"event": event}))?;
        ensure!(
            answer.status == 200,
            "the event was refused: {}",
            String::from_utf8_lossy(&answer.body)
        );
        Ok(())
    }

    pub(super) fn runtime_id(&self) -> &str {
        &self.runtime_id
    }

    fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let authorization = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("content-type", "application/json"),
            ("x-tenant-id", self.tenant.as_str()),
            ("x-contract-version", "v0.2"),
            ("x-correlation-id", "demo-1"),
            ("authorization", authorization.as_str()),
        ];
        if !self.runtime_id.is_empty() {
            headers.push(("x-runtime-id", &self.runtime_id));
        }
        self.address
            .call("POST", path, &headers, body.to_string().as_bytes())
            .context("the agent does not answer")
    }
}
