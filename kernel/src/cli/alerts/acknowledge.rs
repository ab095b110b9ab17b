//! `farhold-kernel alerts acknowledge ID`.

use farhold_terminal::stdout;

use crate::{
    admin::answer::AlertAnswer,
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The alert's id, as alerts list shows it
    id: String,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let id = &self.id;
        let ask = Ask::post(format!("/kernel/admin/alerts/{id}/acknowledge"));
        let alert: AlertAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&alert);
        }
        stdout::write(
            format!("Alert {}, {}, is taken on.\n", alert.alert_id, alert.code).as_bytes(),
        )
    }
}
