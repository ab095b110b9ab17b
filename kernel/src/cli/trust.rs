//! `farhold-kernel trust`: the vendor's trust root.

mod install;
mod show;

use clap::Subcommand;

use farhold_terminal::text;

use super::session::Session;
use crate::admin::answer::TrustAnswer;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Install the first root
    Install(install::Args),
    /// Show the root in force
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
        ("version", format!("{}, installed at {}", trust.version, trust.installed_version)),
        ("sha256", trust.sha256.to_string()),
        ("expires", trust.expires.to_string()),
    ])
}
