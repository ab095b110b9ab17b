//! `farhold audit verify`.

use std::time::Duration;

use farhold_terminal::{stdout, text};

use crate::{
    admin::{answer::AuditVerifyAnswer, client::Ask},
    cli::session::Session,
};

/// Tens of millions of records are read and hashed before the answer begins.
const VERIFY_TIME: Duration = Duration::from_secs(30 * 60);

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get("/admin/audit/verify").patience(VERIFY_TIME);
        let verified: AuditVerifyAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&verified);
        }
        let told = format!(
            "The chain holds: {} from {} to {}.\n{}",
            text::count(verified.records, "record"),
            verified.from_seq,
            verified.to_seq,
            text::facts(&[
                ("epoch", text::plain(&verified.epoch)),
                ("head", verified.head.to_string()),
            ]),
        );
        stdout::write(told.as_bytes())
    }
}
