//! `farhold config show`.

use farhold_terminal::stdout;

use crate::{
    cli::session::Session,
    config::{self, Config, Key},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let raw = session.sources()?.read()?;
        let config = Config::resolve(&raw)?;
        if !session.json() {
            return stdout::write(config::effective(&config, &raw).as_bytes());
        }
        let settings: serde_json::Map<String, serde_json::Value> = Key::ALL
            .iter()
            .map(|key| (key.as_str().to_owned(), config::setting(&config, &raw, *key)))
            .collect();
        stdout::json(&settings)
    }
}
