//! A tally for people.

use super::page::one_line;
use crate::draft::{Person, Quorum, Tally};

/// Who has signed a draft, and who is missing: told once where both roots ask the same people.
pub(crate) fn text(tally: &Tally) -> String {
    let own = &tally.own;
    match &tally.before {
        Some(before)
            if (before.required, &before.signed, &before.missing)
                == (own.required, &own.signed, &own.missing) =>
        {
            quorum(&format!("roots {} and {}", before.version, own.version), own)
        }
        before => before.iter().chain([own]).map(one).collect(),
    }
}

/// What is to be said where a draft was asked for and nobody else need sign: it is in force wherever
/// it arrives.
pub(crate) fn whole_already(draft_asked: bool, tally: &Tally) -> Option<String> {
    let whole = draft_asked && tally.is_complete();
    whole.then(|| "this is no draft: enough have signed, and it is the document itself".to_owned())
}

fn one(of: &Quorum) -> String {
    quorum(&format!("root {}", of.version), of)
}

fn quorum(of: &str, quorum: &Quorum) -> String {
    let mut text = format!(
        "{} keys of {of}: {} of {} required signatures\n",
        quorum.role,
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
