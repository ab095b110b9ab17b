//! `farhold enroll FILE|-`: the site gets its link.

use std::{path::PathBuf, time::Duration};

use farhold_contract::{
    Code,
    call::enroll::{ENROLL_TOKEN_MAX_BYTES, EnrollToken},
};
use farhold_terminal::{Failure, input, stdout, text};

use super::session::Session;
use crate::admin::{answer::EnrollAnswer, client::Ask};

/// A name to resolve, a proxy, a handshake and an answer: each has its own, shorter limit.
const ENROLL_TIME: Duration = Duration::from_secs(90);

#[derive(clap::Args)]
pub(super) struct Args {
    /// The file with the vendor's enrollment token (fhe1.…); - for standard input. A token is a
    /// secret: it is never given as an argument
    file: PathBuf,
    /// Give up the present standing with a Kernel; licenses, audit and device key stay
    #[arg(long)]
    anew: bool,
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let token = input::read(&self.file, ENROLL_TOKEN_MAX_BYTES, Code::EnrollTokenInvalid)?;
        // Said here, before anything is asked: a token cut short is the commonest mistake.
        String::from_utf8_lossy(&token).parse::<EnrollToken>().map_err(|error| {
            Failure::new(Code::EnrollTokenInvalid, format!("{} holds", self.file.display()))
                .because(error)
        })?;
        let ask = Ask::post(format!("/admin/enroll?anew={}", self.anew))
            .body("text/plain", token)
            .patience(ENROLL_TIME);
        let answer: EnrollAnswer = session.door_making_state()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        let tenants: Vec<String> = answer.tenants.iter().map(ToString::to_string).collect();
        let told = text::facts(&[
            ("kernel", text::plain(&answer.kernel)),
            ("organization", tenants.join(", ")),
            ("agent", answer.runtime_id.to_string()),
            ("certificate ends", answer.certificate_ends.to_string()),
        ]);
        stdout::write(format!("Enrolled.\n{told}").as_bytes())
    }
}
