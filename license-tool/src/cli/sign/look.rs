//! Look: what a person sees of a draft before signing it.

use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
};

use serde_json::Value;

use crate::{
    cli::page::talk,
    draft::{Draft, Drafted, Tally},
    refusal::Refusal,
};

/// What a person sees of a draft before signing it.
pub(in crate::cli) struct Look {
    /// What it is, as `root 2`.
    pub(in crate::cli) name: String,
    /// How it stands to the root given: `follows`, `comes under`.
    pub(in crate::cli) stands: &'static str,
    /// What its file is called, without its ending.
    pub(in crate::cli) stem: String,
    /// What it says and what that means, in whole lines.
    pub(in crate::cli) shown: String,
    /// What is asked before it is signed.
    pub(in crate::cli) question: Option<String>,
    /// The same for programs.
    pub(in crate::cli) json: Value,
    /// What should be known beside.
    pub(in crate::cli) warnings: Vec<String>,
}

impl Look {
    /// Asks what is to be asked.
    ///
    /// # Errors
    /// `usage.invalid` without a terminal or without a yes.
    pub(super) fn ask(&self) -> Result<(), Refusal> {
        self.question.as_deref().map_or(Ok(()), ask)
    }

    /// What the file is called where nothing is said.
    pub(super) fn default_out<T: Drafted>(&self, draft: &Draft<T>, tally: &Tally) -> PathBuf {
        PathBuf::from(match tally.is_complete() {
            true => format!("{}.json", self.stem),
            false => format!("{}.signed-{}.json", self.stem, draft.signers().count()),
        })
    }
}

/// Asks whether someone is sure.
///
/// # Errors
/// `usage.invalid` without a terminal or without a yes.
pub(in crate::cli) fn ask(question: &str) -> Result<(), Refusal> {
    if !io::stdin().is_terminal() {
        return Err(Refusal::usage(
            "there is no terminal to ask on whether you are sure",
            "Look at the times above, then give --yes.",
        ));
    }
    talk(&format!("{question} Type yes:"));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    Err(Refusal::usage("you were not sure; nothing was signed", "Run it again and type yes."))
}
