//! Code and specifications say the same: closed lists, references, tables.
//!
//! `UPDATE=1` writes `specs/codes.md` anew.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{collections::BTreeSet, env, fmt::Write, fs};

use serde_json::{Value, json};

use farhold_audit::{Class, OwnKind};
use farhold_contract::{
    Code,
    condition::{ConditionCode, Severity},
    exit::Exit,
};
use farhold_tests::{
    binaries::project,
    http::Answer,
    schema::{Exchange, Operation, Specs, Surface},
};

#[test]
fn the_page_of_codes_is_what_the_code_says() {
    let path = project().join("specs/codes.md");
    let rendered = codes_page();
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &rendered).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == rendered, "specs/codes.md differs from the code; UPDATE=1 writes it anew");
}

fn codes_page() -> String {
    let mut page = String::from(
        "# Codes\n\n\
         Rendered from the code (`crates/contract`) by a test; `UPDATE=1` writes it anew. The lists are closed and\n\
         only grow: nothing in them is renamed or given another meaning.\n\n\
         ## Codes\n\n\
         Every refusal, over HTTP or on a command line, carries one of these.\n\n\
         | code | HTTP | exit | what it means | what to do |\n|---|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let (status, exit) = (code.status(), code.exit().code());
        let (sentence, action) = (cell(code.sentence()), cell(code.action()));
        writeln!(page, "| `{code}` | {status} | {exit} | {sentence} | {action} |").unwrap();
    }
    page.push_str(
        "\n## Conditions\n\nWhat can be wrong with a site, as `/statusz` and `farhold status` say it.\n\n\
         | condition | severity | what it means | what to do |\n|---|---|---|---|\n",
    );
    for condition in ConditionCode::ALL {
        let severity = match condition.severity() {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let (impact, hint) = (cell(condition.impact()), cell(condition.hint()));
        writeln!(page, "| `{}` | {severity} | {impact} | {hint} |", condition.as_str()).unwrap();
    }
    page.push_str(
        "\n## Exit codes\n\nHow every verb of every tool ends.\n\n\
         | exit | what it means | what to do |\n|---|---|---|\n",
    );
    for exit in Exit::ALL {
        let (sentence, action) = (cell(exit.sentence()), cell(exit.action()));
        writeln!(page, "| {} | {sentence} | {action} |", exit.code()).unwrap();
    }
    page
}

/// A text as one cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn every_reference_in_every_specification_resolves() {
    let specs = Specs::shared();
    let mut found = 0;
    for (name, file) in specs.files() {
        visit(file, &mut |value| {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                found += 1;
                assert!(specs.resolve(name, reference).is_some(), "{name}: {reference}");
            }
        });
    }
    assert!(found > 500, "{found} references");
}

#[test]
fn every_schema_can_be_used() {
    let specs = Specs::shared();
    for (name, file) in specs.files() {
        if name.starts_with("schemas/") {
            assert_eq!(
                file["$schema"], "https://json-schema.org/draft/2020-12/schema",
                "{name} says which draft it is"
            );
            specs.faults(name, "", &Value::Null);
        }
        visit_pointers(file, String::new(), &mut |pointer, value| {
            let is_schema = pointer.ends_with("/schema") && value.is_object();
            if is_schema && name.starts_with("openapi/") {
                specs.faults(name, pointer, &Value::Null);
            }
        });
    }
}

#[test]
fn examples_are_what_their_schemas_say() {
    let specs = Specs::shared();
    let mut found = 0;
    for (name, file) in specs.files().filter(|(name, _)| name.starts_with("openapi/")) {
        visit_pointers(file, String::new(), &mut |pointer, value| {
            if let (Some(example), Some(_)) = (value.get("example"), value.get("schema")) {
                found += 1;
                let faults = specs.faults(name, &format!("{pointer}/schema"), example);
                assert!(faults.is_empty(), "{name}{pointer}: {faults:#?}");
            }
        });
    }
    assert!(found > 10, "{found} examples");
}

#[test]
fn every_code_a_document_lists_exists_with_that_status() {
    let specs = Specs::shared();
    for file in DOCUMENTS {
        for operation in Operation::all(specs, file) {
            for status in operation.statuses() {
                let status: u16 = status.parse().unwrap();
                for text in operation.codes(status) {
                    let at = format!("{file} {} {} {status}", operation.method, operation.path);
                    let code: Code = text.parse().unwrap_or_else(|_| panic!("{at}: {text}"));
                    assert_eq!(code.status(), status, "{at}: {code}");
                }
            }
        }
    }
}

const DOCUMENTS: [&str; 5] = [
    "openapi/kernel-v0.1.json",
    "openapi/kernel-v0.2.json",
    "openapi/local-v0.2.json",
    "openapi/admin.json",
    "openapi/kernel-admin.json",
];

#[test]
fn the_agents_own_events_and_their_classes_are_those_of_the_code() {
    let document = Specs::shared().file("asyncapi/audit-v0.2.json");
    let messages = document["components"]["messages"].as_object().unwrap();
    let of_channel = |channel: &str| -> BTreeSet<&str> {
        let listed = document["channels"][channel]["messages"].as_object().unwrap();
        listed.keys().map(|key| messages[key]["name"].as_str().unwrap()).collect()
    };
    let own: BTreeSet<&str> = OwnKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(of_channel("own"), own);

    for (key, message) in messages.iter().filter(|(key, _)| *key != "Record") {
        let name = message["name"].as_str().unwrap();
        assert_eq!(message["x-class"], json!(Class::of(name)), "{key}");
    }
    let classes = document["x-classes"].as_object().unwrap();
    assert_eq!(classes.len(), Class::ALL.len());
    for class in Class::ALL {
        assert_eq!(classes[class.as_str()]["code"], class.as_u8(), "{class}");
    }
}

/// The judge itself: what it lets pass would pass unseen everywhere.
#[test]
fn the_judge_sees_each_kind_of_drift() {
    let good = json!({
        "allowed": true, "mode": "offline",
        "decision_id": "01939b6e-7093-7e75-8f97-4da250617283",
    });
    let with = |member: &str, value: Value| {
        let mut changed = good.clone();
        changed[member] = value;
        changed
    };
    assert_eq!(judged(200, &good), Vec::<String>::new());
    for wrong in [
        with("allowed", json!("yes")),
        with("reason", json!("quota.exhausted")),
        with("unheard_of", json!(1)),
        with("usage", json!({"used": 1, "remaining": 2, "unheard_of": 3})),
        with("decision_id", json!("not-an-id")),
        json!({"allowed": true}),
    ] {
        assert!(!judged(200, &wrong).is_empty(), "{wrong}");
    }
    assert!(!judged(202, &good).is_empty(), "a status that no document names");
    let problem = json!({
        "type": "urn:farhold:code:quota.exhausted", "title": Code::QuotaExhausted.sentence(),
        "status": 403, "code": "quota.exhausted", "action": Code::QuotaExhausted.action(),
    });
    assert!(!judged(403, &problem).is_empty(), "a code that the operation does not list");
}

fn judged(status: u16, body: &Value) -> Vec<String> {
    let id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
    let headers = [
        ("x-tenant-id", id),
        ("x-runtime-id", id),
        ("x-contract-version", "v0.2"),
        ("x-correlation-id", "c-1"),
        ("content-type", "application/json"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    let answered = [("content-type", kind), ("x-correlation-id", "c-1")];
    let asked = json!({"tenant_id": id, "runtime_id": id, "feature": "f"}).to_string();
    let exchange = Exchange {
        surface: Surface::Runtimes,
        method: "POST",
        target: "/kernel/entitlements/check",
        headers: &headers,
        body: asked.as_bytes(),
        answer: &Answer {
            status,
            headers: answered.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: body.to_string().into_bytes(),
        },
    };
    exchange.faults(Specs::shared())
}

fn visit(value: &Value, seen: &mut impl FnMut(&Value)) {
    visit_pointers(value, String::new(), &mut |_, value| seen(value));
}

fn visit_pointers(value: &Value, at: String, seen: &mut impl FnMut(&str, &Value)) {
    seen(&at, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                visit_pointers(member, format!("{at}/{name}"), seen);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                visit_pointers(item, format!("{at}/{number}"), seen);
            }
        }
        _ => {}
    }
}
