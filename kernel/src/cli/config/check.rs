//! `farhold-kernel config check`.

use serde_json::json;

use farhold_terminal::{stdout, text};

use crate::cli::session::Session;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let config = session.config()?;
        if session.json() {
            return stdout::json(&json!({
                "data_dir": config.data_dir.path(),
                "listen": config.listen,
                "admin_listen": config.admin_listen,
                "public_url": config.public_url,
                "host_names": config.host_names,
            }));
        }
        let facts = text::facts(&[
            ("data", config.data_dir.path().display().to_string()),
            ("agents call", config.listen.to_string()),
            ("administrators call", config.admin_listen.to_string()),
            ("in enrollment tokens", config.public_url),
        ]);
        stdout::write(format!("The configuration is good.\n{facts}").as_bytes())
    }
}
