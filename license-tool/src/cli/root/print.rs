//! Roots and drafts for people.

use serde_json::{Value, json};

use farhold_bundle::payload::Root;
use farhold_contract::Sha256Digest;

use crate::{
    cli::page::one_line,
    root::{Difference, Draft, Person, Quorum, Tally},
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

/// Who has signed a draft, and who is missing: told once where both roots ask the same people.
pub(super) fn tally(tally: &Tally) -> String {
    let Tally { before, own } = tally;
    if (before.required, &before.signed, &before.missing)
        == (own.required, &own.signed, &own.missing)
    {
        return quorum(&format!("roots {} and {}", before.version, own.version), own);
    }
    let one = |of: &Quorum| quorum(&format!("root {}", of.version), of);
    format!("{}{}", one(before), one(own))
}

fn quorum(of: &str, quorum: &Quorum) -> String {
    let mut text = format!(
        "root keys of {of}: {} of {} required signatures\n",
        quorum.signed.len(),
        quorum.required
    );
    let mut say = |word: &str, people: &[Person]| {
        for Person { key_id, name } in people {
            let name = name.as_deref().map(one_line).unwrap_or_default();
            text.push_str(format!("  {word}  {key_id}  {name}").trim_end());
            text.push('\n');
        }
    };
    say("signed    ", &quorum.signed);
    say(if quorum.is_met() { "not needed" } else { "missing   " }, &quorum.missing);
    text
}

/// What programs are told of a draft.
pub(super) fn draft_json(draft: &Draft, tally: &Tally, differences: &[Difference]) -> Value {
    let changes: Vec<Value> = differences
        .iter()
        .map(|difference| {
            let mut change = json!(difference);
            change["meaning"] = Value::from(difference.meaning());
            change
        })
        .collect();
    json!({
        "complete": tally.is_complete(),
        "sha256": draft.sha256(),
        "root": draft.root(),
        "changes": changes,
        "signatures": tally,
    })
}
