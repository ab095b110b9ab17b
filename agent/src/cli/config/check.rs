//! `farhold config check`.

use serde_json::json;

use farhold_terminal::stdout;

use crate::{cli::session::Session, config::Config};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let sources = session.sources()?;
        let config = Config::load(&sources)?;
        let files = sources.files()?;
        if session.json() {
            return stdout::json(&json!({ "files": files, "has_mode": config.mode.is_some() }));
        }
        let mut told = String::from("The configuration is good.\n");
        for file in &files {
            told.push_str(&format!("  read {}\n", file.display()));
        }
        if config.mode.is_none() {
            told.push_str("  no mode: the agent answers every check with mode none\n");
        }
        stdout::write(told.as_bytes())
    }
}
