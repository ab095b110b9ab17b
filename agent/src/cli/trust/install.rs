//! `farhold trust install FILE --sha256 HEX`.

use std::path::PathBuf;

use farhold_bundle::LIMITS;
use farhold_contract::Code;
use farhold_terminal::{argument, input, stdout};

use crate::{
    admin::{answer::TrustAnswer, client::Ask},
    cli::session::Session,
};

/// What to do about a hash that is none.
const NEXT: &str = "Give the 64 digits exactly as the vendor told them.";

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The root's file; - for standard input
    file: PathBuf,
    /// SHA-256 of the root's payload, as the vendor told it over another channel
    #[arg(long, value_name = "HEX")]
    sha256: String,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let sha256 = argument::sha256(&self.sha256, NEXT)?;
        let root = input::read(&self.file, LIMITS.envelope_bytes, Code::EnvelopeTooLarge)?;
        let ask = Ask::post(format!("/admin/trust?sha256={sha256}"));
        let trust: TrustAnswer =
            session.door_making_state()?.json(ask.body("application/json", root))?;
        if session.json() {
            return stdout::json(&trust);
        }
        let told = format!("Installed the trust root.\n{}", super::described(&trust));
        stdout::write(told.as_bytes())
    }
}
