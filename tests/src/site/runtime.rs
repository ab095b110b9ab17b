//! Runtime: a product on the site, with its token.

use serde_json::{Value, json};

use farhold_contract::model::RuntimeType;

use super::{Call, Check, EventDraft, ids};
use crate::{http::Address, schema::Surface};

/// A product on the site.
#[derive(Debug, Clone)]
pub struct Runtime {
    door: Address,
    kind: RuntimeType,
    tenant: String,
    token: String,
    token_id: String,
    contract: &'static str,
    runtime_id: Option<String>,
    version: String,
    released_on: Option<String>,
}

impl Runtime {
    pub(crate) fn new(door: Address, kind: RuntimeType, tenant: &str, created: &Value) -> Self {
        let text = |name: &str| created[name].as_str().expect("it was created").to_owned();
        Self {
            door,
            kind,
            tenant: tenant.to_owned(),
            token: text("token"),
            token_id: text("token_id"),
            contract: "v0.2",
            runtime_id: None,
            version: "4.2.0".to_owned(),
            released_on: None,
        }
    }

    /// Speaking another version of the contract.
    pub fn speaking(mut self, contract: &'static str) -> Self {
        self.contract = contract;
        self
    }

    /// Of another version of the product.
    pub fn of_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Of a version that was released on this day.
    pub fn released_on(mut self, day: &str) -> Self {
        self.released_on = Some(day.to_owned());
        self
    }

    /// At another door.
    pub fn at(mut self, door: &Address) -> Self {
        self.door = door.clone();
        self
    }

    /// Registers, and keeps the id it is given.
    #[track_caller]
    pub fn registered(mut self) -> Self {
        let answer = self.registers().answer().ok();
        assert_eq!(answer["status"], "registered");
        self.runtime_id = Some(answer["runtime_id"].as_str().expect("an id").to_owned());
        self
    }

    /// The call by which it registers.
    pub fn registers(&self) -> Call {
        self.post("/kernel/runtimes/register", &self.statement())
    }

    /// What it says of itself at registration.
    pub fn statement(&self) -> Value {
        let mut statement = json!({
            "tenant_id": self.tenant,
            "runtime_type": self.kind,
            "deployment_mode": "on_prem",
            "version": self.version,
            "capabilities": ["scorm"],
        });
        if let Some(day) = &self.released_on {
            statement["released_on"] = day.as_str().into();
        }
        statement
    }

    /// Asks whether it may use a feature.
    pub fn check(&self, feature: &str) -> Check {
        let body = json!({
            "tenant_id": self.tenant,
            "runtime_id": self.id(),
            "feature": feature,
        });
        Check::new(self.call("POST", "/kernel/entitlements/check"), body)
    }

    /// Begins an event of this type.
    pub fn event(&self, kind: &str) -> EventDraft {
        EventDraft::new(&self.tenant, self.id(), kind)
    }

    /// Hands one event over.
    pub fn tells(&self, event: &EventDraft) -> Call {
        self.post("/kernel/audit/events", &json!({ "event": event.to_json() }))
    }

    /// Hands several over at once.
    pub fn tells_all(&self, events: &[EventDraft]) -> Call {
        let events: Vec<Value> = events.iter().map(EventDraft::to_json).collect();
        self.post("/kernel/audit/events", &json!({ "events": events }))
    }

    /// Asks how its switches are set.
    pub fn flags(&self) -> Call {
        self.call("GET", "/kernel/flags")
    }

    /// Says how it is.
    pub fn heartbeat(&self) -> Call {
        let path = format!("/kernel/runtimes/{}/heartbeat", self.id());
        self.post(&path, &json!({ "status": "healthy", "metrics": { "sessions": 12.0 } }))
    }

    /// A call with its headers and a body.
    pub fn post(&self, target: &str, body: &Value) -> Call {
        self.call("POST", target).json(body)
    }

    /// A call with its headers.
    pub fn call(&self, method: &str, target: &str) -> Call {
        let call = Call::new(self.door.clone(), Surface::Runtimes, method, target)
            .with("x-tenant-id", &self.tenant)
            .with("x-contract-version", self.contract)
            .with("x-correlation-id", &format!("c-{}", ids::v7()))
            .with("authorization", &format!("Bearer {}", self.token));
        match &self.runtime_id {
            Some(id) => call.with("x-runtime-id", id),
            None => call,
        }
    }

    /// Its id.
    ///
    /// # Panics
    /// Before it has registered.
    pub fn id(&self) -> &str {
        self.runtime_id.as_deref().expect("it has registered")
    }

    /// Its organization.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Its token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The name of its token.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }
}
