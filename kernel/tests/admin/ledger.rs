//! The vendor's ledger: it grows at its end, and says which licenses are the vendor's.

use http::Method;
use serde_json::{Value, json};

use farhold_bundle::{Envelope, payload::License};
use farhold_contract::{Code, Sha256Digest, Timestamp, id::TenantId};
use farhold_kernel::storage::{AlertFilter, NewAlert, no_trail};
use farhold_ledger::{Act, Issue, Ledger};
use sha2::{Digest, Sha256};

use crate::{
    documents::upload,
    stage::{Answer, Stage},
    vendor::{ISSUER, LICENSE, Vendor},
};

const AT: Timestamp = Timestamp::from_ms(1_799_000_000_000);

/// A ledger as its file has it: line by line.
struct Book {
    ledger: Ledger,
    lines: Vec<Vec<u8>>,
}

impl Book {
    fn of(issuer: &str) -> Self {
        let (ledger, line) = Ledger::begin(issuer.parse().unwrap(), AT);
        Self { ledger, lines: vec![line] }
    }

    /// Enters licenses as issued.
    fn with(mut self, licenses: &[&[u8]]) -> Self {
        for license in licenses {
            self.enter(Act::Issued(issue(license)));
        }
        self
    }

    fn enter(&mut self, act: Act) {
        self.lines.push(self.ledger.append(AT, act).unwrap());
    }

    fn from(&self, entry: usize) -> Vec<u8> {
        self.lines[entry - 1..].concat()
    }

    fn head(&self) -> Value {
        json!(self.ledger.head())
    }
}

fn issue(line: &[u8]) -> Issue {
    let envelope = Envelope::open(line.strip_suffix(b"\n").unwrap()).unwrap();
    let payload = envelope.danger_unverified_payload();
    let license: License = serde_json::from_slice(payload).unwrap();
    Issue::of(&license, Sha256Digest::new(Sha256::digest(payload).into()), Vec::new())
}

async fn send(stage: &Stage, query: &str, lines: impl Into<Vec<u8>>) -> Answer {
    let ask = stage.ask(Method::POST, format!("/kernel/admin/ledger{query}"));
    ask.body("application/jsonl", lines).answer().await
}

async fn show(stage: &Stage, query: &str) -> Value {
    stage.get(format!("/kernel/admin/ledger{query}")).answer().await.ok()
}

fn taken(answer: &Value) -> (u64, u64, u64) {
    let of = |member: &str| answer[member].as_u64().unwrap();
    (of("taken"), of("known"), of("seq"))
}

async fn stage() -> (Stage, Vendor, TenantId) {
    let (stage, vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    (stage, vendor, tenant_id)
}

#[tokio::test]
async fn a_ledger_grows_at_its_end_by_whole_uploads_or_by_what_was_added() {
    let (stage, vendor, tenant) = stage().await;
    let licenses: Vec<_> = (1..=4).map(|serial| vendor.license(tenant, serial)).collect();
    let licenses: Vec<&[u8]> = licenses.iter().map(Vec::as_slice).collect();
    let book = Book::of(ISSUER).with(&licenses[..2]);
    let first = show(&stage, "").await;
    assert_eq!((&first["seq"], &first["entries"]), (&json!(0), &json!([])));
    assert!(first.get("whole_at").is_none());

    let answer = send(&stage, "", book.from(1)).await.ok();
    assert_eq!(taken(&answer), (3, 0, 3));
    assert_eq!(json!({"seq": answer["seq"], "hash": answer["hash"]}), book.head());
    assert_eq!(taken(&send(&stage, "", book.from(1)).await.ok()), (0, 3, 3), "again is no harm");

    let book = book.with(&licenses[2..]);
    assert_eq!(taken(&send(&stage, "", book.from(4)).await.ok()), (2, 0, 5), "what was added");
    assert_eq!(taken(&send(&stage, "", book.from(2)).await.ok()), (0, 4, 5));

    let shown = show(&stage, "?limit=2").await;
    let seqs = |shown: &Value| -> Vec<u64> {
        let entries = shown["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!((seqs(&shown), &shown["next"]), (vec![5, 4], &json!("4")));
    let last: Value = serde_json::from_slice(&book.lines[4]).unwrap();
    assert_eq!(shown["entries"][0], last, "as the ledger has them");
    assert_eq!(seqs(&show(&stage, "?after=4").await), [3, 2, 1]);
    assert_eq!(seqs(&show(&stage, &format!("?license_id={LICENSE}")).await), [5, 4, 3, 2]);
    assert!(shown["whole_at"].is_string());

    let events = stage.recorded(stage.internal(), "kernel.admin.ledger.upload").await;
    assert_eq!(events.len(), 4);
    assert_eq!(
        (&events[0]["payload"]["entries"], &events[0]["payload"]["seq"]),
        (&json!(3), &json!(3))
    );
}

#[tokio::test]
async fn another_ledger_or_a_changed_one_changes_nothing() {
    let (stage, vendor, tenant) = stage().await;
    let [one, two, three] = [1, 2, 3].map(|serial| vendor.license(tenant, serial));
    let book = Book::of(ISSUER).with(&[&one, &two]);
    send(&stage, "", book.from(1)).await.ok();

    // The same beginning, then another entry, in its whole and by its end.
    let other = Book::of(ISSUER).with(&[&one, &three, &three]);
    for from in [1, 4] {
        let told = send(&stage, "", other.from(from)).await.refused(Code::LedgerConflict);
        let detail = told.detail.unwrap();
        assert!(detail.contains("license-tool ledger enter"), "what to do: {detail}");
    }
    // A shorter one that is no beginning of it.
    send(&stage, "", Book::of(ISSUER).with(&[&two]).from(1)).await.refused(Code::LedgerConflict);
    // A gap.
    let longer = Book::of(ISSUER).with(&[&one, &two, &three]);
    let mut longer = longer;
    longer.enter(Act::Issued(issue(&three)));
    let detail = send(&stage, "", longer.from(5)).await.refused(Code::LedgerBroken).detail.unwrap();
    assert!(detail.contains("begins with entry 5, and this Kernel holds 3"), "{detail}");
    // A changed one, and what is no ledger.
    let changed = String::from_utf8(longer.from(1)).unwrap().replace("Acme Sur", "Acme Nor");
    send(&stage, "", changed).await.refused(Code::LedgerBroken);
    for text in ["", "{}\n", "no entry"] {
        send(&stage, "", text).await.refused(Code::LedgerBroken);
    }
    // Somebody else's.
    let (fresh, ..) = self::stage().await;
    let theirs = Book::of("01939b6e-0000-7a31-8b53-0f6f1c2d0099").with(&[&one]);
    send(&fresh, "", theirs.from(1)).await.refused(Code::TrustIssuer);
    let untrusting = Stage::new().await;
    send(&untrusting, "", book.from(1)).await.refused(Code::TrustMissing);
    let huge = vec![b' '; (8 << 20) + 1];
    send(&stage, "", huge).await.refused(Code::RequestTooLarge);

    assert_eq!(show(&stage, "").await["seq"], 3);
    let refused = stage.recorded(stage.internal(), "kernel.admin.ledger.upload").await;
    assert!(refused.iter().any(|event| event["payload"]["refused"] == "ledger.conflict"));
}

#[tokio::test]
async fn a_license_that_is_not_in_the_ledger_is_taken_with_a_warning() {
    let (stage, vendor, tenant) = stage().await;
    let [one, two] = [1, 2].map(|serial| vendor.license(tenant, serial));
    let book = Book::of(ISSUER).with(&[&one]);
    let silent = upload(&stage, "?dry_run=true", two.clone()).await.ok();
    assert!(silent.get("not_in_ledger").is_none(), "no ledger is held");
    send(&stage, "?more=true", book.from(1)).await.ok();
    let silent = upload(&stage, "?dry_run=true", two.clone()).await.ok();
    assert!(silent.get("not_in_ledger").is_none(), "there is more of it to come");
    send(&stage, "", book.from(1)).await.ok();

    let warned = upload(&stage, "", [one, two.clone()].concat()).await.ok();
    assert_eq!(warned["not_in_ledger"], json!([format!("license {LICENSE} serial 2")]));
    assert_eq!(warned["applied"], true);
    let path = format!("/kernel/admin/tenants/{tenant}/licenses");
    let in_ledger = async || {
        let listed = stage.get(path.clone()).answer().await.ok();
        let licenses = listed["licenses"].as_array().unwrap().iter();
        licenses.map(|license| license["in_ledger"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(in_ledger().await, [true, false]);
    let mut book = book;
    // Met outside of the ledger: it is not entered until its slip is.
    book.enter(Act::BreakGlass(issue(&two)));
    send(&stage, "", book.from(1)).await.ok();
    assert_eq!(in_ledger().await, [true, false]);
    book.enter(Act::Entered(issue(&two)));
    send(&stage, "", book.from(1)).await.ok();
    assert_eq!(in_ledger().await, [true, true]);
}

#[tokio::test]
async fn an_alert_ends_with_the_upload_that_brings_its_license() {
    let (stage, vendor, tenant) = stage().await;
    let license = vendor.license(tenant, 1);
    let issue = issue(&license);
    let named = json!({"license_id": issue.license_id, "serial": 1, "sha256": issue.sha256});
    let alert = |incident: &str, licenses: Value| NewAlert {
        code: farhold_contract::AlertCode::LicenseNotInLedger,
        tenant_id: tenant,
        agent: None,
        incident: incident.to_owned(),
        at: stage.plane.now(),
        detail: json!({"licenses": licenses}),
    };
    let storage = &stage.plane.storage;
    let unknown = json!({"license_id": issue.license_id, "serial": 2, "sha256": issue.sha256});
    storage.raise_alert(alert("one", json!([named])), no_trail).await.unwrap();
    storage.raise_alert(alert("two", json!([named, unknown])), no_trail).await.unwrap();
    let book = Book::of(ISSUER).with(&[&license]);
    let answer = send(&stage, "", book.from(1)).await.ok();
    assert_eq!(answer["acknowledged"].as_array().unwrap().len(), 1);
    let open = storage.alerts(AlertFilter::Open, None, 10).await.unwrap();
    assert_eq!(open.len(), 1, "what names another one, too, stays");
    let events = stage.recorded(tenant, "kernel.alert.acknowledged").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["payload"]["alert_id"], answer["acknowledged"][0]);
}
