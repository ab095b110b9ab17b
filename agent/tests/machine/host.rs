//! An agent on a tree of files, in this process, under a clock of the test's own.

use std::{path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use axum::{Router, body::Body};
use http::{Method, Request as Call, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use farhold_agent::{
    admin::{self, Admin},
    assembly::Assembly,
    machine::Machine,
    owner::{Group, Operation, look_for_changes},
    snapshot::Snapshot,
};
use farhold_bundle::{Envelope, Verified, payload::Request, verify_device_document};
use farhold_contract::{Code, model::RuntimeType};
use farhold_policy::{Counter, Decision, Link, Question, Restraints, RuntimeFacts};
use farhold_store::StoreError;

use crate::stage::{SetClock, TENANT, at, configuration, detached, resolved};

use super::{tree::Tree, vendor::Vendor};

/// A machine with its state, and the vendor it has to do with.
pub(super) struct Host {
    pub(super) tree: Tree,
    pub(super) vendor: Vendor,
    folder: TempDir,
    clock: Arc<SetClock>,
    _keys: TempDir,
}

/// An agent that has the state.
pub(super) struct Agent {
    pub(super) admin: Arc<Admin>,
    routes: Router,
    thread: JoinHandle<()>,
}

/// Inside every license of the vendor's.
const START: &str = "2027-06-01T12:00:00Z";

impl Host {
    pub(super) fn new(tree: Tree) -> Self {
        let keys = tempfile::tempdir().unwrap();
        Self {
            tree,
            vendor: Vendor::new(keys.path()),
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(SetClock::at(at(START))),
            _keys: keys,
        }
    }

    /// Time passes.
    pub(super) fn wait(&self, time: Duration) {
        self.clock.run(time);
    }

    pub(super) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Starts an agent, without a root where none was installed.
    pub(super) fn bare(&self) -> Agent {
        let config = resolved(&configuration(&detached(), self.folder.path()));
        let machine = Machine::at(self.tree.path(), &config);
        let assembly = Assembly::new(&config, machine, Arc::clone(&self.clock) as _).unwrap();
        let Assembly { admin, owner_thread: thread, .. } = assembly;
        Agent { routes: admin::routes(Arc::clone(&admin)), admin, thread }
    }

    /// Starts an agent that trusts the vendor.
    pub(super) async fn agent(&self) -> Agent {
        let agent = self.bare();
        agent.admin.importer.install(self.vendor.trust()).await.unwrap();
        agent
    }
}

impl Agent {
    /// Ends it, and gives its state free.
    pub(super) fn stop(self) {
        let Self { admin, routes, thread } = self;
        drop((admin, routes));
        thread.join().unwrap();
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.admin.owner.snapshot())
    }

    /// Imports a bundle, or says why not.
    pub(super) async fn import(&self, bundle: Vec<u8>) -> Result<(), Code> {
        self.admin.importer.import(bundle).await.map(drop).map_err(|refusal| refusal.code)
    }

    /// Looks at the machine now.
    pub(super) async fn look(&self) -> Value {
        self.call(Method::GET, "/admin/fingerprint", None).await.unwrap()
    }

    /// Looks at the machine as the agent does by itself.
    pub(super) async fn glance(&self) {
        let Admin { owner, place, clock, .. } = &*self.admin;
        look_for_changes(owner, place, &**clock).await.unwrap();
    }

    /// Every license as it stands.
    pub(super) async fn licenses(&self) -> Value {
        self.call(Method::GET, "/admin/licenses", None).await.unwrap()["licenses"].clone()
    }

    /// Makes a request and verifies it as the vendor does.
    pub(super) async fn request(&self) -> Verified<Request> {
        verified(&self.ask(json!({})).await.unwrap())
    }

    pub(super) async fn ask(&self, question: Value) -> Result<Value, String> {
        self.call(Method::POST, "/admin/request", Some(question)).await
    }

    /// Whether a product may use a feature now; else the code.
    pub(super) fn may(&self, feature: &str) -> Result<(), Code> {
        let snapshot = self.snapshot();
        let runtime = RuntimeFacts {
            runtime_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e11".parse().unwrap(),
            runtime_type: RuntimeType::Courses,
            version: "1.0.0".to_owned(),
            released_on: None,
        };
        let question = Question {
            tenant_id: TENANT.parse().unwrap(),
            runtime: &runtime,
            feature,
            consume: None,
        };
        let now = snapshot.now(&self.admin.clock.read());
        let policy = &snapshot.documents.policy;
        let resolution = policy.resolve(&question, &Restraints::default(), &now, Link::Detached);
        let (decision, _): (Decision, _) = resolution.decide(None, None);
        decision.reason.map_or(Ok(()), Err)
    }

    /// How often an event of a type was written.
    pub(super) async fn events(&self, kind: &str) -> Vec<Value> {
        let tail = self.call(Method::GET, "/admin/audit/tail?count=1000", None).await.unwrap();
        let events = tail["records"].as_array().unwrap().iter().map(|record| {
            serde_json::from_str::<Value>(record["event"].as_str().unwrap()).unwrap()
        });
        events.filter(|event| event["type"] == kind).map(|event| event["payload"].clone()).collect()
    }

    /// The detail of a condition that stands, or nothing.
    pub(super) async fn condition(&self, code: &str) -> Option<String> {
        let status = self.call(Method::GET, "/statusz", None).await.unwrap();
        let mut conditions = status["conditions"].as_array().unwrap().iter();
        let found = conditions.find(|condition| condition["code"] == code)?;
        Some(found["hint"].as_str().unwrap().to_owned())
    }

    /// Has a product use up units.
    pub(super) async fn use_up(&self, key: String, units: u64) {
        self.admin.owner.submit(UseUp { key, units }).await.unwrap();
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let call =
            Call::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let Ok(response) = self.routes.clone().oneshot(call.body(body).unwrap()).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        if status.is_success() {
            Ok(answer)
        } else {
            Err(answer["code"].as_str().unwrap().to_owned())
        }
    }
}

/// A request as its reader verifies it: by the key that it names.
pub(super) fn verified(answer: &Value) -> Verified<Request> {
    let line = answer["envelope"].as_str().unwrap().as_bytes();
    let key = serde_json::from_value(answer["device_key"].clone()).unwrap();
    verify_device_document(Envelope::open(line).unwrap(), &key).unwrap()
}

struct UseUp {
    key: String,
    units: u64,
}

impl Operation for UseUp {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let counter = Counter { window_start: None, used: self.units };
        group.txn.set_counter(TENANT.parse().unwrap(), self.key, counter);
        Ok(())
    }
}
