//! Roots and drafts for people.

use serde_json::{Value, json};

use farhold_bundle::payload::Root;
use farhold_contract::Sha256Digest;

use crate::{
    cli::page::one_line,
    draft::Tally,
    root::{Difference, Draft},
};

/// A root for people, each line begun by `mark`.
pub(super) fn root(root: &Root, sha256: Sha256Digest, mark: &str) -> String {
    let mut lines = vec![
        format!("root {} of {}", root.version, one_line(&root.issuer.name)),
        format!("payload SHA-256  {sha256}"),
        format!("issuer           {}", root.issuer.id),
        format!("issued           {}", root.issued_at),
        format!("expires          {}", root.expires),
    ];
    for (role, keys) in root.roles() {
        lines.push(format!("{role}: {} of {}", keys.threshold, keys.key_ids.len()));
        for id in &keys.key_ids {
            let named = root.keys.iter().find(|key| key.public_key.id() == *id);
            let name = named.and_then(|key| key.name.as_deref()).map(one_line).unwrap_or_default();
            lines.push(format!("  {id}  {name}").trim_end().to_owned());
        }
    }
    for id in &root.revoked_keys {
        lines.push(format!("revoked: {id}"));
    }
    for ca in &root.kernel_ca {
        lines.push(format!("kernel CA: {ca}"));
    }
    lines.iter().map(|line| format!("{mark}{line}\n")).collect()
}

/// What a next root changes, and what each change means for what stands.
pub(super) fn changes(differences: &[Difference]) -> String {
    let only_dated = differences.iter().all(|one| matches!(one, Difference::Dated { .. }));
    let mut text = match only_dated {
        true => "changes nothing but its number and date:\n".to_owned(),
        false => "changes:\n".to_owned(),
    };
    for difference in differences {
        let (what, meaning) = (one_line(&difference.what()), difference.meaning());
        text.push_str(&format!("  {what}\n    {meaning}\n"));
    }
    text
}

/// What programs are told of a draft.
pub(super) fn draft_json(draft: &Draft, tally: &Tally, differences: &[Difference]) -> Value {
    json!({
        "complete": tally.is_complete(),
        "sha256": draft.sha256(),
        "root": draft.content(),
        "changes": changes_json(differences),
        "signatures": tally,
    })
}

/// The same as [`changes`], for programs.
pub(super) fn changes_json(differences: &[Difference]) -> Vec<Value> {
    let told = |difference: &Difference| {
        let mut change = json!(difference);
        change["meaning"] = Value::from(difference.meaning());
        change
    };
    differences.iter().map(told).collect()
}
