//! Mistake: what is wrong in a template, and where.

use farhold_contract::Code;

use super::schema::{Key, LICENSE};
use crate::refusal::Refusal;

/// Members that the tool fills in, and where each comes from.
pub(super) const FILLED_IN: [(&str, &str); 3] = [
    ("issuer", "the issuer is the root's"),
    ("serial", "give it as --serial"),
    ("issued_at", "the tool fills it in"),
];

/// What is said of a key that must be there and is not.
pub(super) const MISSING: &str = "is missing";

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The line, from 1, where it can be named.
    pub(super) line: Option<usize>,
    /// The key, with the tables it is in.
    pub(super) key: String,
    /// What is wrong.
    pub(super) why: String,
}

impl Mistake {
    /// The refusal for it, and the number of the others.
    pub(super) fn refuse(&self, others: usize) -> Refusal {
        let line = self.line.map_or(String::new(), |line| format!("line {line}: "));
        let key = if self.key.is_empty() { String::new() } else { format!("{} ", self.key) };
        let others = match others {
            0 => String::new(),
            1 => " (and 1 mistake more)".to_owned(),
            more => format!(" (and {more} mistakes more)"),
        };
        Refusal::new(Code::TemplateInvalid, format!("{line}{key}{}{others}", self.why))
    }
}

/// What is said of a key that does not belong where it stands.
pub(super) fn unknown(name: &str, keys: &[Key]) -> String {
    if let Some((_, from)) = FILLED_IN.iter().find(|(filled, _)| *filled == name) {
        return format!("has no place in a template: {from}");
    }
    if let Some(known) = near(name, keys) {
        return format!("is not known; did you mean {known}?");
    }
    // TOML's own trap: after a [table], a key of the top belongs to the table.
    if LICENSE.iter().any(|key| key.name == name) {
        return format!("is not known here; {name} stands above the first [table]");
    }
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    format!("is not known; here stand {}", names.join(", "))
}

/// The key that was probably meant.
pub(super) fn near(name: &str, keys: &[Key]) -> Option<&'static str> {
    let distances = keys.iter().map(|key| (strsim::damerau_levenshtein(key.name, name), key.name));
    distances
        .filter(|(distance, known)| *distance <= known.len().max(3) / 3)
        .min()
        .map(|(_, known)| known)
}
