//! What is told of a request and of its answer.

use serde_json::{Value, json};

use farhold_bundle::{
    Verified,
    payload::{License, Request},
};
use farhold_contract::Timestamp;
use farhold_ledger::{Bound, Ledger, Move};

use super::output::Handed;
use crate::{
    cli::page::{Page, one_line},
    issue::Next,
};

/// What a request asks, for people and programs.
pub(super) fn request(
    request: &Verified<Request>,
    ledger: Option<&Ledger>,
    now: Timestamp,
) -> Page {
    Page::new(text(request, ledger, now), object(request, ledger))
}

/// The same, and what answered it; `moved` says how often it was moved within a year.
#[allow(clippy::too_many_arguments)] // each is another's: what was asked, signed, entered, written
pub(super) fn answer(
    asked: &Verified<Request>,
    ledger: &Ledger,
    signed: &Verified<License>,
    next: &Next,
    step: Move,
    moved: usize,
    handed: Handed,
    now: Timestamp,
) -> Page {
    let license = signed.content();
    let mut page = request(asked, Some(ledger), now);
    let word = match (next, step) {
        (Next::Known(_), _) => "the same license again: it was entered before",
        (_, Move::First) => "an activation: its first machine",
        (_, Move::Same) => "the same machine",
        (_, Move::Rehost) => "a move from another machine",
    };
    page.text.push_str(&format!(
        "answered with\n  license     {} serial {}\n  product     {}\n  issued to   {}\n  \
         bound to    {}\n  is          {word}\n  moved       {moved} times within a year\n",
        license.license_id,
        license.serial,
        license.product,
        one_line(&license.issued_to),
        license.binding.as_ref().map_or("nothing", |binding| Bound::of(binding).as_str()),
    ));
    for file in &handed.files {
        page.text.push_str(&format!("  written to  {file}\n"));
    }
    if let (true, Some(typed)) = (handed.is_shown, &handed.typed) {
        page.text.push_str(&format!("{typed}\n"));
    }
    page.json["answer"] = json!({
        "license_id": license.license_id,
        "serial": license.serial,
        "sha256": signed.sha256(),
        "was_known": matches!(next, Next::Known(_)),
        "move": match step { Move::First => "first", Move::Same => "same", Move::Rehost => "rehost" },
        "rehosts_within_a_year": moved,
        "files": handed.files,
        "license": license,
    });
    if let Some(typed) = handed.typed {
        page.json["answer"]["typed_form"] = Value::from(typed);
    }
    page
}

fn text(request: &Verified<Request>, ledger: Option<&Ledger>, now: Timestamp) -> String {
    let mut lines = vec![
        "the request holds: it is signed by the device key that it names".to_owned(),
        format!("tenant        {}", request.tenant_id),
        format!("device key    {}", request.device_key),
        match &request.root {
            Some(root) => format!("stands at     root {}, SHA-256 {}", root.version, root.sha256),
            None => "stands at     no root".to_owned(),
        },
        format!("system clock  {} (here {now})", request.wall),
        format!("own time      {}", request.mark),
    ];
    let shown = |name: &String| match request.remembered.contains_key(name) {
        true => format!("{name} (remembered, not read)"),
        false => name.clone(),
    };
    let names: Vec<String> = request.fingerprint.keys().map(shown).collect();
    lines.push(format!(
        "shows         {}",
        if names.is_empty() { "no component".to_owned() } else { names.join(", ") }
    ));
    for held in &request.licenses {
        let known = ledger.map(|ledger| ledger.has(held.license_id, held.serial, held.sha256));
        let known = match known {
            Some(true) => ", in the ledger",
            Some(false) => ", NOT in the ledger",
            None => "",
        };
        lines.push(format!(
            "holds         license {} serial {}{known}",
            held.license_id, held.serial
        ));
    }
    for usage in &request.usage {
        lines.push(format!(
            "has used      {} of {} (license {})",
            usage.used, usage.feature, usage.license_id
        ));
    }
    if let Some(license_id) = request.release {
        let noted = if ledger.is_some() { "noted in the ledger" } else { "not noted: no --ledger" };
        lines.push(format!("gives up      license {license_id}; {noted}"));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn object(request: &Verified<Request>, ledger: Option<&Ledger>) -> Value {
    let licenses: Vec<Value> = request
        .licenses
        .iter()
        .map(|held| {
            let known = ledger.map(|ledger| ledger.has(held.license_id, held.serial, held.sha256));
            json!({
                "license_id": held.license_id,
                "serial": held.serial,
                "sha256": held.sha256,
                "in_ledger": known,
            })
        })
        .collect();
    let mut object = json!({
        "verified": true,
        "sha256": request.sha256(),
        "request": request.content(),
        "licenses": licenses,
    });
    if request.release.is_some() {
        object["release_noted"] = Value::from(ledger.is_some());
    }
    object
}
