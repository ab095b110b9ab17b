//! What `sign` takes, and for which kind of draft each is.

use std::path::PathBuf;

use farhold_bundle::payload::DocumentType;
use farhold_contract::Sha256Digest;

use crate::{
    cli::{
        clock_reset::RequestArgs, issued::KnownArgs, passphrase::PassphraseArgs, revoke::FromArgs,
        trust::TrustArgs,
    },
    refusal::Refusal,
};

/// What `sign` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) sign: SignArgs,
    #[command(flatten)]
    pub(super) revocations: RevocationArgs,
    #[command(flatten)]
    pub(super) clock_reset: ClockResetArgs,
}

/// What every draft is signed with.
#[derive(clap::Args)]
pub(crate) struct SignArgs {
    /// The draft; several copies of it if two people signed at the same time
    #[arg(value_name = "DRAFT", required = true)]
    pub(super) drafts: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    /// A key of the role that signs it; without one, the copies given are put together
    #[arg(long, value_name = "FILE|URI")]
    pub(super) key: Vec<PathBuf>,
    /// SHA-256 of the draft's payload, told by whoever made it: refuses any other draft
    #[arg(long, value_name = "HEX")]
    pub(super) expect: Option<Sha256Digest>,
    /// Shows what would be signed, and who has signed; signs and writes nothing
    #[arg(long, conflicts_with_all = ["key", "out"])]
    pub(super) dry_run: bool,
    /// Where the signed draft is written, or the document if it is complete; never over another
    /// file. If not said: NAME.signed-M.json, or NAME.json, in this folder
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

/// What a draft of revocations is held against.
#[derive(clap::Args)]
pub(crate) struct RevocationArgs {
    #[command(flatten)]
    pub(in crate::cli) from: FromArgs,
    #[command(flatten)]
    pub(in crate::cli) known: KnownArgs,
    /// Signs revocations that take back what the generation before revoked
    #[arg(long)]
    pub(in crate::cli) allow_loss: bool,
}

/// What the draft of a clock reset is held against.
#[derive(clap::Args)]
pub(crate) struct ClockResetArgs {
    #[command(flatten)]
    pub(in crate::cli) request: RequestArgs,
    /// Asks nothing before a clock reset is signed: you are sure
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

impl Args {
    /// Refuses what is about another kind of draft: it would not be looked at.
    pub(super) fn require_meant_for(&self, kind: DocumentType) -> Result<(), Refusal> {
        let Self { revocations, clock_reset, .. } = self;
        let of_revocations = [
            ("--from", revocations.from.from.is_some()),
            ("--ledger", revocations.known.ledger.is_some()),
            ("--licenses", !revocations.known.licenses.is_empty()),
            ("--allow-loss", revocations.allow_loss),
        ];
        let of_clock_resets = [
            ("--request", clock_reset.request.request.is_some()),
            ("--device-key", clock_reset.request.device_key.is_some()),
            ("--yes", clock_reset.yes),
        ];
        let strange = of_revocations
            .iter()
            .filter(|_| kind != DocumentType::Revocations)
            .chain(of_clock_resets.iter().filter(|_| kind != DocumentType::ClockReset))
            .find(|(_, is_given)| *is_given);
        match strange {
            Some((option, _)) => Err(Refusal::usage(
                format!("the draft is of the type {kind}, and {option} is about another"),
                format!("Leave out {option}, or give the draft that it is about."),
            )),
            None => Ok(()),
        }
    }
}
