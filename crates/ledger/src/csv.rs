//! CSV: entries for people and their spreadsheets; nothing reads it back.

use std::fmt::Write;

use crate::{act::Act, bound::Bound, entry::Entry, issue::Issue};

const COLUMNS: [&str; 17] = [
    "seq",
    "at",
    "kind",
    "license_id",
    "serial",
    "replaces",
    "tenant_id",
    "product",
    "issued_to",
    "issued_at",
    "expires_on",
    "binding",
    "device_key",
    "sha256",
    "keys",
    "reason",
    "hash",
];

/// The names of the columns, as one line (RFC 4180).
pub fn csv_head() -> String {
    row(COLUMNS.map(str::to_owned))
}

/// An entry as one line.
pub fn csv_row(entry: &Entry) -> String {
    let issue = entry.act.issue();
    let of = |text: fn(&Issue) -> String| issue.map(text).unwrap_or_default();
    let optional = |value: Option<String>| value.unwrap_or_default();
    let (serial, device_key) = match &entry.act {
        Act::Released(release) => (release.serial, Some(release.device_key)),
        act => {
            let bound = act.issue().and_then(|issue| issue.bound.as_ref());
            (act.issue().map(|issue| issue.serial), bound.and_then(Bound::device_key))
        }
    };
    row([
        entry.seq.to_string(),
        entry.at.to_string(),
        entry.act.kind().as_str().to_owned(),
        optional(entry.act.license_id().map(|id| id.to_string())),
        optional(serial.map(|serial| serial.to_string())),
        of(|issue| issue.replaces.map(|serial| serial.to_string()).unwrap_or_default()),
        of(|issue| issue.tenant_id.to_string()),
        of(|issue| issue.product.clone()),
        of(|issue| issue.issued_to.clone()),
        of(|issue| issue.issued_at.to_string()),
        of(|issue| issue.expires_on.map(|day| day.to_string()).unwrap_or_default()),
        of(|issue| issue.bound.as_ref().map(Bound::as_str).unwrap_or_default().to_owned()),
        optional(device_key.map(|key| key.to_string())),
        of(|issue| issue.sha256.to_string()),
        of(|issue| issue.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        of(|issue| issue.reason.clone().unwrap_or_default()),
        entry.hash.to_string(),
    ])
}

fn row(cells: [String; COLUMNS.len()]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        // A spreadsheet computes what begins like a formula: a name must stay a name.
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        if guard.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
            line.push_str(cell);
        } else {
            let _ = write!(line, "\"{guard}{}\"", cell.replace('"', "\"\"")); // to a String
        }
    }
    line.push_str("\r\n");
    line
}
