//! One license, entered in the ledger and then written.

use std::path::Path;

use serde_json::json;

use farhold_bundle::{Positive, Signer, TrustRoot, Verified, Whole, payload::License};
use farhold_contract::{Code, id::LicenseId};
use farhold_ledger::{Act, Issue, Ledger, Move};

use super::{Args, again::as_before, template_text};
use crate::{
    cli::{
        clock,
        ledger::{mended, open_file},
        page::{Page, one_line},
    },
    file,
    issue::{self, Next, many, next, require_budget, same_in_line},
    ledger::{LedgerFile, require_reason},
    refusal::Refusal,
    template::{self, Mold, Stamp},
};

/// Signs, enters and writes one license.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let out = args.out()?;
    if let Some(reason) = &args.over_budget {
        require_reason(reason)?;
    }
    let root = args.trust.open()?;
    let draft = Draft::read(args, &root)?;
    let signers = args.load(&root)?;
    let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    let Some(path) = &args.ledger else {
        let serial = args.serial.unwrap_or(Positive::MIN);
        let license_id = draft.license_id(args)?;
        let stamp = Stamp { license_id, serial, issued_at: args.now() };
        let signed = issue::issue(&root, &draft.cast(stamp), &signers)?;
        write(out, signed.line())?;
        let mut page = page(out, &signed, None);
        page.warnings.push(
            "it is in no ledger: give --ledger, so that it can be found, counted and replaced"
                .to_owned(),
        );
        return Ok(page);
    };
    let mut file = open_file(path, &root)?;
    let next = draft.next(args, &root, file.ledger())?;
    let license = draft.cast(next.stamp());
    let signed = issue::issue(&root, &license, &signers)?;
    if let Next::New(_) = next {
        let mut issue = draft.issue(&signed, file.ledger());
        issue.reason = args.over_budget.clone();
        require_moves(args, file.ledger(), &issue)?;
        let act = many::act(file.ledger(), issue);
        file.enter(clock::now(), act)?;
    } else {
        sign_again(&mut file, &signed, &draft)?;
    }
    // specs/ledger.md §6: entered and durable before anyone else can have it.
    write(out, signed.line())?;
    Ok(page(out, &signed, Some(&next)).with_said(mended(&file)))
}

/// What is to be signed, held to every rule that does not need the ledger.
pub(super) struct Draft {
    mold: Mold,
    license_id: Option<LicenseId>,
    rehosts_per_year: Option<Whole>,
    is_again: bool,
}

impl Draft {
    pub(super) fn read(args: &Args, root: &TrustRoot) -> Result<Self, Refusal> {
        let draft = match &args.again.from {
            Some(path) => Self::again(args.again.open(path, args, root)?),
            None => Self::of_template(args, root)?,
        };
        // Which serial it gets changes nothing of what can be wrong with it.
        draft.license_id(args)?;
        issue::require_time(root, args.now())?;
        Ok(draft)
    }

    /// A license as it stands.
    fn again(license: License) -> Self {
        Self {
            license_id: Some(license.license_id),
            rehosts_per_year: None,
            mold: Mold::of(license),
            is_again: true,
        }
    }

    fn of_template(args: &Args, root: &TrustRoot) -> Result<Self, Refusal> {
        let path = args.template()?;
        let of_template = |refusal: Refusal| refusal.of_file(path);
        let mut template = template::read(&template_text(path)?).map_err(of_template)?;
        if args.unbound {
            if template.binds() {
                return Err(Refusal::usage(
                    "the template binds the license and --unbound does not",
                    "Leave out --unbound, or the template's binding.",
                ));
            }
            template.set_unbound();
        }
        let mold = template.mold(root.root().issuer.id).map_err(of_template)?;
        let license = mold.cast(Stamp {
            license_id: mold.content().license_id,
            serial: Positive::MIN,
            issued_at: args.now(),
        });
        template.check(&license).map_err(of_template)?;
        issue::refuse_nonsense(&template, &license, root).map_err(of_template)?;
        Ok(Self {
            license_id: template.license_id(),
            rehosts_per_year: template.rehosts_per_year(),
            mold,
            is_again: false,
        })
    }

    /// The license with its stamp.
    pub(super) fn cast(&self, stamp: Stamp) -> License {
        self.mold.cast(stamp)
    }

    /// The contract that it has already, or a new one where that is asked for.
    pub(super) fn license_id(&self, args: &Args) -> Result<LicenseId, Refusal> {
        match (self.license_id, args.new_id) {
            (Some(id), false) => Ok(id),
            (None, true) => Ok(clock::new_id(LicenseId::from_uuid)),
            (Some(_), true) => Err(Refusal::usage(
                "the template has a license_id and --new-id asks for another",
                "Leave out one of them: a renewal keeps its license_id.",
            )),
            (None, false) => Err(Refusal::new(
                Code::TemplateInvalid,
                format!("{}: license_id is missing", args.template()?.display()),
            )
            .with_next("Give --new-id for a new contract, or write the renewed one's license_id.")),
        }
    }

    /// What the ledger keeps of it, signed.
    fn issue(&self, signed: &Verified<License>, ledger: &Ledger) -> Issue {
        let keys = signed.signers().iter().copied().collect();
        let mut issue = Issue::of(signed.content(), signed.sha256(), keys);
        issue.rehosts_per_year = self.rehosts_per_year;
        if self.is_again {
            as_before(&mut issue, ledger.contract(signed.license_id));
        }
        issue
    }

    fn next(&self, args: &Args, root: &TrustRoot, ledger: &Ledger) -> Result<Next, Refusal> {
        // A new contract that says what one of the line says already is that one: the run before
        // was interrupted.
        let license_id = match args.new_id && args.serial.is_none() {
            true => same_in_line(ledger, &self.mold, |_| true)?,
            false => None,
        };
        let license_id = license_id.map_or_else(|| self.license_id(args), Ok)?;
        next(ledger, root, &self.mold, license_id, args.serial, args.now())
    }
}

/// Refuses a move beyond the year's budget, unless there is a reason for it.
fn require_moves(args: &Args, ledger: &Ledger, issue: &Issue) -> Result<(), Refusal> {
    let (Some(contract), Some(bound)) = (ledger.contract(issue.license_id), &issue.bound) else {
        return Ok(());
    };
    if contract.move_by(bound) != Move::Rehost || args.over_budget.is_some() {
        return Ok(());
    }
    require_budget(contract, issue.rehosts_per_year, clock::now())
}

/// The same license by other keys is one more entry: what falls with a key must be known.
fn sign_again(
    file: &mut LedgerFile,
    signed: &Verified<License>,
    draft: &Draft,
) -> Result<(), Refusal> {
    let issue = draft.issue(signed, file.ledger());
    let known = file.ledger().contract(signed.license_id);
    if known.is_none_or(|contract| contract.newest.keys == issue.keys) {
        return Ok(());
    }
    file.enter(clock::now(), Act::Issued(issue))
}

pub(super) fn write(out: &Path, line: &[u8]) -> Result<(), Refusal> {
    file::write_new(out, &[line, b"\n"].concat())
}

pub(super) fn page(out: &Path, signed: &Verified<License>, next: Option<&Next>) -> Page {
    let license = signed.content();
    let mut text = format!(
        "license     {}\nserial      {}\nproduct     {}\nissued to   {}\nSHA-256     {}\n",
        license.license_id,
        license.serial,
        license.product,
        one_line(&license.issued_to),
        signed.sha256(),
    );
    let was_known = matches!(next, Some(Next::Known(_)));
    if was_known {
        text.push_str("ledger      had it already: this is the same license again\n");
    }
    let json = json!({
        "file": out.display().to_string(),
        "license_id": license.license_id,
        "serial": license.serial,
        "sha256": signed.sha256(),
        "was_known": was_known,
        "license": license,
    });
    Page::new(text, json).with_warnings(issue::warnings(license))
}
