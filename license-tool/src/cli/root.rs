//! `root`: the keys of an issuer, from one root to the next.

mod change;
mod date;
mod init;
mod key;
mod life;
mod print;
mod show;
mod sign;

use clap::Subcommand;

use super::{page::Page, sign::SignArgs};
use crate::refusal::Refusal;

pub(super) use sign::run as sign;

/// The verbs on roots.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Makes the first root of an issuer
    Init(Box<init::Args>),
    /// Drafts the next root with one key more
    AddKey(Box<change::AddKey>),
    /// Drafts the next root without a key; what it signed stays in force
    RemoveKey(Box<change::RemoveKey>),
    /// Drafts the next root in which a key is revoked; what it signed falls
    RevokeKey(Box<change::RevokeKey>),
    /// Drafts the next root in which another number of people must sign
    SetThreshold(Box<change::SetThreshold>),
    /// Drafts the next root with a key in the place of another
    Rotate(Box<change::Rotate>),
    /// Drafts the next root with the same keys: a later end, another CA of the Kernel
    Renew(Box<change::Renew>),
    /// Signs a draft: it becomes the next root once enough have signed
    Sign(Box<SignArgs>),
    /// Shows a root, or a draft and who has signed it
    Show(show::Args),
}

/// Runs one of them.
pub(crate) fn run(verb: Verb) -> Result<Page, Refusal> {
    match verb {
        Verb::Init(args) => init::run(*args),
        Verb::AddKey(args) => args.run(),
        Verb::RemoveKey(args) => args.run(),
        Verb::RevokeKey(args) => args.run(),
        Verb::SetThreshold(args) => args.run(),
        Verb::Rotate(args) => args.run(),
        Verb::Renew(args) => args.run(),
        Verb::Sign(args) => sign::run(&args),
        Verb::Show(args) => show::run(args),
    }
}
