//! Outcome: what became of a bundle, for whoever looks after it in `done/` or `refused/`.

use farhold_api::Refusal;
use farhold_contract::Code;
use farhold_terminal::text::plain;

use crate::importer::{Imported, word};

/// What became of a bundle.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether it stands, or stood already.
    pub(super) done: bool,
    /// The code that says why not, if there is one.
    pub(super) code: Option<Code>,
    /// The text beside it.
    pub(super) reason: String,
}

impl Outcome {
    pub(super) fn of(imported: Result<Imported, Refusal>) -> Self {
        match imported {
            Ok(imported) => Self { done: true, code: None, reason: told(&imported) },
            Err(refusal) => Self {
                done: refusal.code == Code::BundleSuperseded,
                code: Some(refusal.code),
                reason: refused(&refusal),
            },
        }
    }
}

fn told(imported: &Imported) -> String {
    let mut text = format!("Imported.\nSHA-256: {}\n", imported.bundle_sha256);
    for line in &imported.plan.lines {
        text.push_str(&format!("{}: {}\n", plain(&line.name), word(line.outcome)));
    }
    for fallen in &imported.plan.fallen {
        text.push_str(&format!("No longer holds: {}\n", plain(fallen)));
    }
    text
}

fn refused(refusal: &Refusal) -> String {
    let code = refusal.code;
    let mut text = format!("{code}: {}\n", code.sentence());
    if let Some(detail) = &refusal.detail {
        // Whoever looks after the folder reads it at a terminal.
        text.push_str(&format!("{}\n", plain(detail)));
    }
    text + &format!("What to do: {}\nWhom to ask: {}.\n", code.action(), code.asks().words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refused_bundle_says_moves_no_terminal() {
        let refusal = Refusal::new(Code::PayloadCritical, "x\u{1b}[2J needs agent 9");
        let told = Outcome::of(Err(refusal)).reason;
        assert!(told.contains("x\u{fffd}[2J needs agent 9\n"), "{told}");
    }
}
