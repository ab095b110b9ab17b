//! `farhold-kernel ca show`.

use farhold_contract::{Sha256Digest, Timestamp};
use farhold_terminal::{stdout, text};
use serde::Serialize;

use crate::{
    ca::{Authority, CaFacts},
    cli::session::Session,
    clock::{Clock, SystemClock},
    init::InitError,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

#[derive(Serialize)]
struct Shown {
    /// SHA-256 of the SPKI of the one that issues: what enrollment tokens pin and a root lists.
    ca_sha256: Sha256Digest,
    /// Every certificate, the newest first.
    certificates: Vec<CaFacts>,
}

const HEADS: [&str; 5] = ["SHA256 OF THE KEY", "NAME", "VOUCHED FOR BY", "BEGINS", "ENDS"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let data = session.data();
        data.check().map_err(InitError::from)?;
        let authority = Authority::load(&data).map_err(InitError::from)?;
        let shown = Shown { ca_sha256: authority.anchor_sha256(), certificates: authority.facts() };
        if session.json() {
            return stdout::json(&shown);
        }
        stdout::write(described(&shown, SystemClock.now()).as_bytes())
    }
}

fn described(shown: &Shown, now: Timestamp) -> String {
    let rows = shown.certificates.iter().map(|ca| {
        let by = if ca.issuer == ca.subject { "itself" } else { &ca.issuer };
        vec![
            ca.spki_sha256.to_string(),
            text::plain(&ca.subject),
            text::plain(by),
            ca.not_before.to_string(),
            text::moment(ca.not_after, now),
        ]
    });
    let table = text::table(&HEADS, rows);
    format!(
        "{table}It issues: {}\nA trust root lists it by license-tool root init or renew, \
         --kernel-ca {}\n",
        shown.ca_sha256, shown.ca_sha256
    )
}
