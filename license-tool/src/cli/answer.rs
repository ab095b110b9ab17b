//! `answer`: the license that a site's request asks for, bound to that site's machine.

mod draft;
mod output;
mod sign;
mod told;

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use farhold_bundle::{LIMITS, PublicKey, TrustRoot, Verified, payload::Request};
use farhold_contract::{Code, Timestamp};
use farhold_ledger::{Act, Ledger};

use super::{
    clock,
    ledger::{mended, open_file},
    page::Page,
    passphrase::PassphraseArgs,
    trust::TrustArgs,
};
use crate::{
    answer::{given_up_by_another_key, release_of, require_root, warnings},
    assemble::open_lines,
    clock_reset::open_request,
    file,
    ledger::{self, LedgerFile, require_reason},
    refusal::Refusal,
    template::BindTo,
};
use draft::Draft;
use output::Outputs;

/// What `answer` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The site's request: a file, its typed form in one, or - for standard input
    #[arg(value_name = "REQUEST")]
    request: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// The device key that the request must be from
    #[arg(long, value_name = "HEX")]
    device_key: Option<PublicKey>,
    /// Answers with a license of this template; without it and --from, the request is only shown
    #[arg(
        long,
        value_name = "TEMPLATE",
        conflicts_with = "from",
        requires = "ledger",
        requires = "key"
    )]
    template: Option<PathBuf>,
    /// Answers with the next serial of this license
    #[arg(long, value_name = "LICENSE", requires = "ledger", requires = "key")]
    from: Option<PathBuf>,
    /// The ledger: it gives the serial and counts the moves
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// A license key of the root; several where the root asks for several
    #[arg(long, value_name = "FILE|URI")]
    key: Vec<PathBuf>,
    /// To what of the machine: device, fingerprint, or fingerprint:K; as the template has it if not
    /// said
    #[arg(long, value_name = "KIND")]
    bind: Option<BindTo>,
    /// Makes a new contract: the template has no license_id
    #[arg(long, requires = "template")]
    new_id: bool,
    /// Moves the license although this year's moves are used up, for this reason
    #[arg(long, value_name = "REASON")]
    over_budget: Option<String>,
    /// When it is issued, as the license says; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    outputs: Outputs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Shows a request, notes what it gives up, and answers it.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    if let Some(reason) = &args.over_budget {
        require_reason(reason)?;
    }
    args.outputs.require_free(args.inputs())?;
    let root = args.trust.open()?;
    let request = args.open_request()?;
    require_root(&request, &root)?;
    let now = args.at.unwrap_or_else(clock::now);
    let Some(path) = &args.ledger else {
        let warned = warnings(&request, &root, &[], None, now);
        return Ok(told::request(&request, None, now).with_warnings(warned));
    };
    match Draft::of(&args, &root)? {
        None => args.show(path, &root, &request, now),
        Some(draft) => args.answer(path, &root, &request, draft, now),
    }
}

impl Args {
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let inputs = self.key.iter().chain([&self.request, &self.trust.root]);
        let inputs = inputs.chain(&self.template).chain(&self.from).chain(&self.ledger);
        inputs.map(PathBuf::as_path).chain(self.passphrase.files())
    }

    fn open_request(&self) -> Result<Verified<Request>, Refusal> {
        let bytes = if self.request == Path::new("-") {
            let mut bytes = Vec::new();
            let limit = LIMITS.envelope_bytes as u64 + 1;
            io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| {
                let what = format!("standard input can't be read: {error}");
                Refusal::new(Code::InputUnreadable, what)
            })?;
            bytes
        } else {
            file::read(&self.request, LIMITS.envelope_bytes + 1)?
        };
        let opened = open_lines(&bytes).and_then(|mut lines| match (lines.pop(), lines.len()) {
            (Some(envelope), 0) => open_request(envelope, self.device_key.as_ref()),
            _ => Err(Refusal::new(Code::BundleMalformed, "one request is needed")),
        });
        opened.map_err(|refusal| refusal.of_file(&self.request))
    }

    /// Shows a request and notes what it gives up.
    fn show(
        &self,
        path: &Path,
        root: &TrustRoot,
        request: &Verified<Request>,
        now: Timestamp,
    ) -> Result<Page, Refusal> {
        if request.release.is_none() {
            return Ok(self.page(root, request, &ledger::read(path)?, now));
        }
        let mut file = open_file(path, root)?;
        note_release(&mut file, request)?;
        Ok(self.page(root, request, file.ledger(), now).with_said(mended(&file)))
    }

    fn page(
        &self,
        root: &TrustRoot,
        request: &Verified<Request>,
        ledger: &Ledger,
        now: Timestamp,
    ) -> Page {
        let mut warned = warnings(request, root, &[], Some(ledger), now);
        warned.extend(given_up_by_another_key(request, ledger));
        told::request(request, Some(ledger), now).with_warnings(warned)
    }
}

/// Enters what a request gives up, once.
fn note_release(file: &mut LedgerFile, request: &Verified<Request>) -> Result<(), Refusal> {
    match release_of(request, file.ledger())? {
        Some(release) => file.enter(clock::now(), Act::Released(release)),
        None => Ok(()),
    }
}
