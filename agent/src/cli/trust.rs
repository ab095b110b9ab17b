//! `farhold trust`: the vendor's root of trust.

mod install;
mod show;

use clap::Subcommand;

use farhold_terminal::text;

use super::session::Session;
use crate::admin::answer::TrustAnswer;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Install the first trust root, by the hash the vendor gave you over another channel
    Install(install::Args),
    /// Show the trust root in force
    Show(show::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Install(args) => args.act(session),
            Self::Show(args) => args.act(session),
        }
    }
}

fn described(trust: &TrustAnswer) -> String {
    text::facts(&[
        ("issuer", format!("{} ({})", text::plain(&trust.issuer_name), trust.issuer_id)),
        ("version", format!("{} (installed as {})", trust.version, trust.installed_version)),
        ("sha256", trust.sha256.to_string()),
        ("expires", trust.expires.to_string()),
    ])
}
