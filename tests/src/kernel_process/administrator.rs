//! Administrator: what the vendor's operator does at a Kernel, by its command line alone.

use std::path::PathBuf;

use serde_json::Value;

use farhold_contract::model::RuntimeType;

use super::{Intake, Kernel};
use crate::{
    http::Address,
    site::{Document, Runtime, Vendor},
};

/// What opens a Kernel to one new agent, in a file as it is handed over.
pub struct EnrollmentToken {
    /// Its name.
    pub id: String,
    /// Itself.
    pub text: String,
    /// Where it lies.
    pub file: PathBuf,
}

impl Kernel {
    /// Creates an organization with this id.
    #[track_caller]
    pub fn has_tenant(&self, tenant: &str) -> &Self {
        self.verb(["tenant", "create", tenant, "--id", tenant]).done();
        self
    }

    /// Takes in signed documents.
    #[track_caller]
    pub fn holds(&self, documents: &Document) -> &Self {
        self.verb(["license", "upload", documents.path().to_str().unwrap()]).done();
        self
    }

    /// Takes in the vendor's ledger as it stands.
    #[track_caller]
    pub fn holds_ledger_of(&self, vendor: &Vendor) -> &Self {
        let (ledger, out) = (vendor.ledger(), vendor.next("jsonl"));
        vendor.says(&format!("ledger export {} --out {}", ledger.display(), out.display()));
        self.verb(["ledger", "upload", out.to_str().unwrap()]).done();
        self
    }

    /// A token that opens it to one agent of these organizations, the first its own.
    #[track_caller]
    pub fn enrollment_token(&self, tenants: &[&str]) -> EnrollmentToken {
        let mut words = vec!["enroll-token", "create"];
        words.extend(tenants.iter().flat_map(|tenant| ["--tenant", tenant]));
        let created = self.verb(words).done();
        let told = |name: &str| created[name].as_str().expect("it was created").to_owned();
        let (id, text) = (told("token_id"), told("token"));
        let file = self.path(&format!("{id}.token"));
        std::fs::write(&file, format!("{text}\n")).unwrap();
        EnrollmentToken { id, text, file }
    }

    /// A product that speaks to the Kernel itself, at a door; not yet registered.
    #[track_caller]
    pub fn runtime(&self, door: &Address, tenant: &str, kind: RuntimeType) -> Runtime {
        let words = ["runtime-token", "create", "--tenant", tenant, "--type", kind.as_str()];
        Runtime::new(door.clone(), kind, tenant, &self.verb(words).done())
    }

    /// The agents it knows.
    #[track_caller]
    pub fn agents(&self) -> Vec<Value> {
        list(&self.verb(["agent", "list"]).done(), "agents")
    }

    /// An agent, with its last report.
    #[track_caller]
    pub fn agent(&self, runtime_id: &str) -> Value {
        self.verb(["agent", "show", runtime_id]).done()
    }

    /// The runtimes of an organization.
    #[track_caller]
    pub fn runtimes(&self, tenant: &str) -> Vec<Value> {
        list(&self.verb(["runtime", "list", "--tenant", tenant]).done(), "runtimes")
    }

    /// Every alert.
    #[track_caller]
    pub fn alerts(&self) -> Vec<Value> {
        list(&self.verb(["alerts", "list"]).done(), "alerts")
    }

    /// The codes of every alert, in order.
    #[track_caller]
    pub fn alert_codes(&self) -> Vec<String> {
        let code = |alert: &Value| alert["code"].as_str().expect("a code").to_owned();
        let mut codes: Vec<String> = self.alerts().iter().map(code).collect();
        codes.sort();
        codes
    }

    /// What it has taken in for an organization.
    #[track_caller]
    pub fn audit(&self, tenant: &str) -> Intake {
        Intake::of(&self.verb(["audit", "search", "--tenant", tenant]).done())
    }

    /// The same, of one type of event.
    #[track_caller]
    pub fn audit_of_type(&self, tenant: &str, kind: &str) -> Intake {
        let words = ["audit", "search", "--tenant", tenant, "--type", kind];
        Intake::of(&self.verb(words).done())
    }

    /// Every chain verifies; what they amount to.
    #[track_caller]
    pub fn verifies(&self) -> Vec<Value> {
        let verified = self.verb(["audit", "verify"]).done();
        assert_eq!(verified["intact"], true, "{verified}");
        list(&verified, "chains")
    }

    /// Suspends, resumes or limits an organization.
    #[track_caller]
    pub fn suspends_tenant(&self, tenant: &str) -> &Self {
        self.verb(["tenant", "suspend", tenant]).done();
        self
    }

    /// Gives an organization back what was taken.
    #[track_caller]
    pub fn resumes_tenant(&self, tenant: &str) -> &Self {
        self.verb(["tenant", "resume", tenant]).done();
        self
    }

    /// Denies an organization a feature.
    #[track_caller]
    pub fn denies_tenant(&self, tenant: &str, feature: &str) -> &Self {
        self.verb(["tenant", "limit", tenant, "--deny", feature]).done();
        self
    }

    /// Suspends a runtime.
    #[track_caller]
    pub fn suspends(&self, runtime: &Runtime) -> &Self {
        self.verb(["runtime", "suspend", runtime.id(), "--tenant", runtime.tenant()]).done();
        self
    }

    /// Gives a runtime back what was taken.
    #[track_caller]
    pub fn resumes(&self, runtime: &Runtime) -> &Self {
        self.verb(["runtime", "resume", runtime.id(), "--tenant", runtime.tenant()]).done();
        self
    }
}

#[track_caller]
fn list(answer: &Value, name: &str) -> Vec<Value> {
    answer[name].as_array().unwrap_or_else(|| panic!("no {name} in {answer}")).clone()
}
