//! Sure: what can't be undone is asked about first.

use std::io::{self, BufRead, IsTerminal, Write};

use farhold_contract::Code;

use crate::failure::Failure;

/// Asks a person at the terminal; only the word yes is yes.
///
/// # Errors
/// `usage.invalid` where nobody can be asked, or somebody was not sure.
pub fn require_sure(question: &str) -> Result<(), Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::new(
            Code::UsageInvalid,
            format!("{question} Nobody can be asked here"),
        )
        .action("Give --yes if it is meant."));
    }
    let mut answer = String::new();
    // A question that can't be shown has no answer either.
    let asked = write!(io::stderr(), "{question} Type yes: ")
        .and_then(|()| stdin.lock().read_line(&mut answer));
    match asked {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::new(Code::UsageInvalid, "nobody was sure, and nothing was done")
            .action("Run it again and type yes.")),
    }
}
