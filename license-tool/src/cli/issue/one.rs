//! One license, entered in the ledger and then written.

use std::path::Path;

use serde_json::json;

use farhold_bundle::{Positive, Signer, TrustRoot, Verified, payload::License};
use farhold_contract::{Code, id::LicenseId};
use farhold_ledger::{Act, Issue, Ledger, Move};

use super::Args;
use crate::{
    cli::{
        clock,
        page::{Page, one_line},
    },
    file,
    issue::{self, Next, many, next, require_budget, same_in_line},
    ledger::{LedgerFile, require_reason},
    refusal::Refusal,
    template::{self, Mold, Stamp, Template},
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
        let signed = issue::issue(&root, &draft.mold.cast(stamp), &signers)?;
        write(out, signed.line())?;
        let mut page = page(out, &signed, None);
        page.warnings.push(
            "it is in no ledger: give --ledger, so that it can be found, counted and replaced"
                .to_owned(),
        );
        return Ok(page);
    };
    let mut file = LedgerFile::open(path, &root)?;
    let next = draft.next(args, file.ledger())?;
    let license = draft.mold.cast(next.stamp());
    let signed = issue::issue(&root, &license, &signers)?;
    if let Next::New(_) = next {
        let keys = signed.signers().iter().copied().collect();
        let mut issue = Issue::of(&license, signed.sha256(), keys);
        issue.rehosts_per_year = draft.template.rehosts_per_year();
        issue.reason = args.over_budget.clone();
        require_moves(args, file.ledger(), &issue)?;
        let act = many::act(file.ledger(), issue);
        file.enter(args.now(), act)?;
    } else {
        sign_again(&mut file, args, &signed, &draft)?;
    }
    // specs/ledger.md §6: entered and durable before anyone else can have it.
    write(out, signed.line())?;
    Ok(page(out, &signed, Some(&next)))
}

/// The template, read and held to every rule that does not need the ledger.
pub(super) struct Draft {
    pub(super) template: Template,
    pub(super) mold: Mold,
}

impl Draft {
    pub(super) fn read(args: &Args, root: &TrustRoot) -> Result<Self, Refusal> {
        let of_template = |refusal: Refusal| refusal.of_file(&args.template);
        let mut template = template::read(&args.template_text()?).map_err(of_template)?;
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
        let draft = Self { template, mold };
        // Which serial it gets changes nothing of what can be wrong with it.
        draft.license_id(args)?;
        let stamp = Stamp {
            license_id: draft.mold.content().license_id,
            serial: Positive::MIN,
            issued_at: args.now(),
        };
        let license = draft.mold.cast(stamp);
        draft.template.check(&license).map_err(of_template)?;
        issue::refuse_nonsense(&draft.template, &license, root).map_err(of_template)?;
        issue::require_time(root, stamp.issued_at)?;
        Ok(draft)
    }

    /// The template's contract, or a new one where that is asked for.
    pub(super) fn license_id(&self, args: &Args) -> Result<LicenseId, Refusal> {
        match (self.template.license_id(), args.new_id) {
            (Some(id), false) => Ok(id),
            (None, true) => Ok(clock::new_id(LicenseId::from_uuid)),
            (Some(_), true) => Err(Refusal::usage(
                "the template has a license_id and --new-id asks for another",
                "Leave out one of them: a renewal keeps its license_id.",
            )),
            (None, false) => Err(Refusal::new(
                Code::TemplateInvalid,
                format!("{}: license_id is missing", args.template.display()),
            )
            .with_next("Give --new-id for a new contract, or write the renewed one's license_id.")),
        }
    }

    fn next(&self, args: &Args, ledger: &Ledger) -> Result<Next, Refusal> {
        // A new contract that says what one of the line says already is that one: the run before
        // was interrupted.
        if args.new_id
            && args.serial.is_none()
            && let Some(stamp) = same_in_line(ledger, &self.mold)?
        {
            return Ok(Next::Known(stamp));
        }
        next(ledger, &self.mold, self.license_id(args)?, args.serial, args.now())
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
    require_budget(contract, issue.rehosts_per_year, args.now())
}

/// The same license by other keys is one more entry: what falls with a key must be known.
fn sign_again(
    file: &mut LedgerFile,
    args: &Args,
    signed: &Verified<License>,
    draft: &Draft,
) -> Result<(), Refusal> {
    let known = file.ledger().contract(signed.license_id);
    let keys = signed.signers().iter().copied().collect::<Vec<_>>();
    if known.is_none_or(|contract| contract.newest.keys == keys) {
        return Ok(());
    }
    let mut issue = Issue::of(signed.content(), signed.sha256(), keys);
    issue.rehosts_per_year = draft.template.rehosts_per_year();
    file.enter(args.now(), Act::Issued(issue))
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
