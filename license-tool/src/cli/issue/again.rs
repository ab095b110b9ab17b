//! A license issued again, as it stands: after its key was stolen, for one.

use std::path::{Path, PathBuf};

use farhold_bundle::{
    Draft as Payload, Envelope, Positive, TrustRoot,
    payload::{DocumentType, License},
};
use farhold_contract::{Code, id::LicenseId};
use farhold_ledger::{Bound, Contract, Issue};

use super::{super::number::positive, Args};
use crate::{assemble::open_lines, cli::trust, file, issue, ledger, refusal::Refusal};

/// The license that is issued again.
#[derive(clap::Args)]
pub(super) struct AgainArgs {
    /// Issues this license again in the template's place: as it is, bound as it is, by today's key
    #[arg(long, value_name = "LICENSE")]
    pub(super) from: Option<PathBuf>,
    /// Which license of --from, where the file has several
    #[arg(long, value_name = "LICENSE_ID:SERIAL", value_parser = one_of, requires = "from")]
    from_license: Option<(LicenseId, Positive)>,
    /// The root under which --from was signed, where its key is no longer in --root; without it,
    /// the ledger must know the license
    #[arg(long, value_name = "FILE", requires = "from")]
    from_root: Option<PathBuf>,
}

impl AgainArgs {
    /// Every file that is read.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.from.iter().chain(&self.from_root)
    }

    /// The license of a file that is to be issued again: proven by a root, or known to the ledger.
    pub(super) fn open(
        &self,
        path: &Path,
        args: &Args,
        root: &TrustRoot,
    ) -> Result<License, Refusal> {
        let of_file = |refusal: Refusal| refusal.of_file(path);
        let lines = open_lines(&file::read(path, MOST_BYTES)?).map_err(of_file)?;
        let envelope = self.choose(lines).map_err(of_file)?;
        let older = self.from_root.as_deref().map(|path| trust::open(path, None)).transpose()?;
        let license = match older.as_ref().unwrap_or(root).verify::<License>(envelope.clone()) {
            Ok(license) => license.content().clone(),
            Err(reason) => self.in_ledger(&envelope, args)?.ok_or_else(|| {
                let refusal = of_file(reason.into());
                let is_strange =
                    matches!(refusal.code(), Code::SignatureKeyUnknown | Code::SignatureKeyRevoked);
                match is_strange && older.is_none() {
                    true => refusal.with_next(
                        "Give the root that listed its key as --from-root, or the --ledger that \
                         has the license.",
                    ),
                    false => refusal,
                }
            })?,
        };
        if license.issuer != root.root().issuer.id {
            let what = format!("{} is of another issuer than the root", path.display());
            return Err(Refusal::new(Code::TrustIssuer, what));
        }
        require_goes_on(&license, args, root).map_err(of_file)?;
        Ok(license)
    }

    fn choose(&self, mut lines: Vec<Envelope>) -> Result<Envelope, Refusal> {
        lines.retain(|line| line.kind() == DocumentType::License);
        if let Some(wanted) = self.from_license {
            lines.retain(|line| {
                claim(line).is_some_and(|license| (license.license_id, license.serial) == wanted)
            });
            // One serial may be there by several keys; it says the same.
            lines.truncate(1);
        }
        match (lines.pop(), lines.len(), self.from_license) {
            (Some(envelope), 0, _) => Ok(envelope),
            (None, _, Some((id, serial))) => Err(Refusal::usage(
                format!("it has no license {id} of serial {serial}"),
                "Give one that it has: inspect shows them.",
            )),
            (None, _, None) => Err(Refusal::usage(
                "it has no license",
                "Give the file of the license that is to be issued again.",
            )),
            (Some(_), several, _) => Err(Refusal::usage(
                format!("it has {} licenses", several + 1),
                "Say which one: --from-license LICENSE_ID:SERIAL.",
            )),
        }
    }

    /// What the ledger has was signed by the vendor, whatever became of the key.
    fn in_ledger(&self, envelope: &Envelope, args: &Args) -> Result<Option<License>, Refusal> {
        let (Some(path), Some(license)) = (&args.ledger, claim(envelope)) else { return Ok(None) };
        // Its own bytes are what the ledger has the hash of.
        let draft = Payload::of(&license)?;
        let is_whole = draft.payload() == envelope.danger_unverified_payload();
        let known = ledger::read(path)?;
        let is_known = known.has(license.license_id, license.serial, draft.sha256());
        Ok((is_whole && is_known).then_some(license))
    }
}

/// What the ledger keeps besides of a license that is issued again: whose machine it is.
pub(super) fn as_before(issue: &mut Issue, contract: Option<&Contract>) {
    let Some(contract) = contract else { return };
    let before = &contract.newest;
    issue.rehosts_per_year = issue.rehosts_per_year.or(contract.rehosts_per_year());
    if let (
        Some(Bound::Fingerprint { binding, device_key }),
        Some(Bound::Fingerprint { binding: had, device_key: known }),
    ) = (&mut issue.bound, &before.bound)
        && binding == had
    {
        device_key.clone_from(known);
    }
}

/// Largest file of licenses, in bytes: as much as what is known of them may have.
const MOST_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// Refuses a license that serves nobody any more; one whose end has come and that is still on its
/// rungs is issued again with them.
fn require_goes_on(license: &License, args: &Args, root: &TrustRoot) -> Result<(), Refusal> {
    if license.stop().is_some_and(|stop| stop <= args.now()) {
        return Err(Refusal::usage(
            "the license is over, with all its rungs",
            "Issue a renewal from its template.",
        ));
    }
    match issue::nonsense(license, root) {
        Some((member, why)) if member != "expires_on" => Err(Refusal::usage(
            format!("the license's {member} {why}"),
            "Issue it from a template that says otherwise.",
        )),
        _ => Ok(()),
    }
}

fn claim(envelope: &Envelope) -> Option<License> {
    serde_json::from_slice(envelope.danger_unverified_payload()).ok()
}

fn one_of(text: &str) -> Result<(LicenseId, Positive), String> {
    let (id, serial) = text.split_once(':').ok_or("not LICENSE_ID:SERIAL")?;
    Ok((id.parse().map_err(|error| format!("{id}: {error}"))?, positive(serial)?))
}
