//! `answer`: the license that a site's request asks for, bound to that site's machine.

mod output;
mod told;

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use farhold_bundle::{
    Envelope, LIMITS, Positive, PublicKey, Role, Signer, TrustRoot, Verified, Whole,
    payload::{License, Request},
};
use farhold_contract::{Code, Timestamp, id::LicenseId};
use farhold_ledger::{Act, Ledger, Move};

use super::{
    clock,
    issue::template_text,
    page::Page,
    passphrase::{PassphraseArgs, Passphrases},
    trust::TrustArgs,
};
use crate::{
    answer::{
        bind, contract_for, issue_of, knows_release, release_of, require_move, require_root,
        warnings,
    },
    assemble::open_lines,
    clock_reset::open_request,
    file,
    issue::{self, Next},
    ledger::{self, LedgerFile, require_reason},
    refusal::Refusal,
    template::{self, BindTo, Mold, Template},
};
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
    /// When it is issued; the system clock if not said
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
    match args.draft(&root)? {
        None => args.show(path, &root, &request, now),
        Some(draft) => args.answer(path, &root, &request, draft, now),
    }
}

/// The license that would answer, before it is bound.
struct Draft {
    mold: Mold,
    license_id: Option<LicenseId>,
    bind: BindTo,
    rehosts_per_year: Option<Whole>,
    template: Option<Template>,
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

    /// What would answer; nothing where the request is only to be shown.
    fn draft(&self, root: &TrustRoot) -> Result<Option<Draft>, Refusal> {
        if let Some(path) = &self.template {
            let of_template = |refusal: Refusal| refusal.of_file(path);
            let template = template::read(&template_text(path)?).map_err(of_template)?;
            let license_id = match (template.license_id(), self.new_id) {
                (Some(_), true) => {
                    return Err(Refusal::usage(
                        "the template has a license_id and --new-id asks for another",
                        "Leave out one of them.",
                    ));
                }
                (None, true) => Some(clock::new_id(LicenseId::from_uuid)),
                (id, false) => id,
            };
            return Ok(Some(Draft {
                mold: template.mold(root.root().issuer.id).map_err(of_template)?,
                license_id,
                bind: self.bind.unwrap_or_else(|| template.bind_to()),
                rehosts_per_year: template.rehosts_per_year(),
                template: Some(template),
            }));
        }
        let Some(path) = &self.from else { return Ok(None) };
        let verify = |envelope: Envelope| Ok(root.verify::<License>(envelope)?);
        let license = open_lines(&file::read(path, LIMITS.bundle_bytes)?)
            .and_then(|mut lines| match (lines.pop(), lines.len()) {
                (Some(envelope), 0) => verify(envelope),
                _ => Err(Refusal::new(Code::BundleMalformed, "one license is needed")),
            })
            .map_err(|refusal| refusal.of_file(path))?;
        Ok(Some(Draft {
            license_id: Some(license.license_id),
            bind: self.bind.unwrap_or_else(|| of_binding(&license)),
            rehosts_per_year: None,
            mold: Mold::of(license.content().clone()),
            template: None,
        }))
    }

    /// Shows a request and notes what it gives up.
    fn show(
        &self,
        path: &Path,
        root: &TrustRoot,
        request: &Verified<Request>,
        now: Timestamp,
    ) -> Result<Page, Refusal> {
        let ledger = match request.release {
            Some(_) => {
                let mut file = LedgerFile::open(path, root)?;
                note_release(&mut file, request, now)?;
                file.ledger().clone()
            }
            None => ledger::read(path)?,
        };
        let warned = warnings(request, root, &[], Some(&ledger), now);
        Ok(told::request(request, Some(&ledger), now).with_warnings(warned))
    }

    /// Signs, enters and hands over what answers a request.
    fn answer(
        &self,
        path: &Path,
        root: &TrustRoot,
        request: &Verified<Request>,
        mut draft: Draft,
        now: Timestamp,
    ) -> Result<Page, Refusal> {
        self.outputs.require_any()?;
        bind(&mut draft.mold, request, draft.bind)?;
        self.check(&draft, root, now)?;
        issue::require_time(root, now)?;
        let keys = Passphrases::load_all(&self.passphrase, &self.key, root, Role::License)?;
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        self.outputs.require_typed(signers.len())?;
        let with = self.outputs.open_with()?;
        let mut file = LedgerFile::open(path, root)?;
        let license_id = draft.license_id(file.ledger(), request)?;
        if request.release == Some(license_id) {
            note_release(&mut file, request, now)?;
            return Err(Refusal::usage(
                format!(
                    "this machine gives license {license_id} up by this very request; it is noted"
                ),
                "Answer the request of the machine that is to have it.",
            ));
        }
        let next = issue::next(file.ledger(), &draft.mold, license_id, None, now)?;
        let contract = file.ledger().contract(license_id);
        let step = match next {
            // It was entered before, and counted then.
            Next::Known(_) => Move::Same,
            Next::New(_) => require_move(
                contract,
                request,
                draft.rehosts_per_year,
                self.over_budget.is_some(),
                now,
            )?,
        };
        let signed = issue::issue(root, &draft.mold.cast(next.stamp()), &signers)?;
        let bundle = self.outputs.bundle(root, &signed, with.clone(), now)?;
        note_release(&mut file, request, now)?;
        if let Next::New(_) = next {
            let mut issue = issue_of(&signed, request);
            issue.rehosts_per_year = draft.rehosts_per_year.or_else(|| {
                file.ledger().contract(license_id).and_then(|known| known.newest.rehosts_per_year)
            });
            issue.reason = self.over_budget.clone();
            let act = match step {
                Move::Rehost => Act::Rehosted(issue),
                Move::First | Move::Same => Act::Issued(issue),
            };
            file.enter(now, act)?;
        }
        // specs/ledger.md §6: entered and durable before anyone else can have it.
        let handed = self.outputs.write(&signed, &bundle)?;
        let mut warned = warnings(request, root, &with, Some(file.ledger()), now);
        warned.extend(issue::warnings(&signed));
        warned.extend(clock::ahead(now));
        Ok(told::answer(request, file.ledger(), &signed, &next, step, handed, now)
            .with_warnings(warned))
    }

    /// Holds what would be signed to every rule, before anyone types a passphrase.
    fn check(&self, draft: &Draft, root: &TrustRoot, now: Timestamp) -> Result<(), Refusal> {
        let license = draft.mold.cast(template::Stamp {
            license_id: draft.mold.content().license_id,
            serial: Positive::MIN,
            issued_at: now,
        });
        match (&draft.template, &self.template) {
            (Some(template), Some(path)) => template
                .check(&license)
                .and_then(|()| issue::refuse_nonsense(template, &license, root))
                .map_err(|refusal| refusal.of_file(path)),
            _ => match issue::nonsense(&license, root) {
                Some((member, why)) => Err(Refusal::usage(
                    format!("the license's {member} {why}"),
                    "Answer with a template that says otherwise.",
                )),
                None => Ok(()),
            },
        }
    }
}

impl Draft {
    fn license_id(&self, ledger: &Ledger, request: &Request) -> Result<LicenseId, Refusal> {
        if let Some(id) = self.license_id {
            return Ok(id);
        }
        contract_for(ledger, &self.mold, request)?.ok_or_else(|| {
            Refusal::new(
                Code::TemplateInvalid,
                "the template has no license_id, and the ledger has none",
            )
            .with_next("Give --new-id for a new contract.")
        })
    }
}

/// As a license is bound already; to the device where it is bound to nothing.
fn of_binding(license: &License) -> BindTo {
    match &license.binding {
        Some(farhold_bundle::payload::Binding::Fingerprint(binding)) => {
            BindTo::Fingerprint(Some(binding.require))
        }
        _ => BindTo::Device,
    }
}

/// Enters what a request gives up, once.
fn note_release(
    file: &mut LedgerFile,
    request: &Verified<Request>,
    now: Timestamp,
) -> Result<(), Refusal> {
    match release_of(request) {
        Some(release) if !knows_release(file.ledger(), &release) => {
            file.enter(now, Act::Released(release))
        }
        _ => Ok(()),
    }
}
