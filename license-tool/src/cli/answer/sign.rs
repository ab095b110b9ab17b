//! The answer: signed, entered, and handed over.

use std::path::Path;

use farhold_bundle::{Role, Signer, TrustRoot, Verified, payload::Request};
use farhold_contract::Timestamp;
use farhold_ledger::{Act, Contract, Ledger, Move};

use super::{Args, Draft, note_release, told};
use crate::{
    answer::{Parcel, bind, given_up_by_another_key, issue_of, release_of, require_move, warnings},
    cli::{
        clock,
        ledger::{mended, open_file},
        page::Page,
        passphrase::Passphrases,
    },
    issue::{self, Next},
    refusal::Refusal,
};

impl Args {
    /// Signs, enters and hands over what answers a request.
    pub(super) fn answer(
        &self,
        path: &Path,
        root: &TrustRoot,
        request: &Verified<Request>,
        mut draft: Draft,
        now: Timestamp,
    ) -> Result<Page, Refusal> {
        self.outputs.require_any()?;
        bind(&mut draft.mold, request, draft.bind)?;
        draft.check(self, root, now)?;
        issue::require_time(root, now)?;
        // What the site would refuse is refused before anyone types a passphrase.
        let parcel = Parcel::new(request, root, self.outputs.open_with()?)?;
        let mut said = None;
        if request.release.is_some() {
            let file = open_file(path, root)?;
            said = mended(&file);
            if is_given_up(&draft, request, file.ledger())? {
                drop(file);
                return Ok(self.only_note(path, root, request, now)?.with_said(said));
            }
        }
        let keys = Passphrases::load_all(&self.passphrase, &self.key, root, Role::License)?;
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        self.outputs.require_typed(signers.len())?;
        // specs/ledger.md §3: the entry's time and the budget's year are the system clock's,
        // whatever date the license is given.
        let today = clock::now();
        let mut file = open_file(path, root)?;
        let license_id = draft.license_id(file.ledger(), request)?;
        let next = issue::next(file.ledger(), root, &draft.mold, license_id, None, now)?;
        let contract = file.ledger().contract(license_id);
        let step = match next {
            // It was entered before, and counted then.
            Next::Known(_) => Move::Same,
            Next::New(_) => require_move(
                contract,
                request,
                draft.rehosts_per_year,
                self.over_budget.is_some(),
                today,
            )?,
        };
        let signed = issue::issue(root, &draft.mold.cast(next.stamp()), &signers)?;
        let packed = parcel.pack(&signed, now)?;
        note_release(&mut file, request)?;
        if let Next::New(_) = next {
            let mut issue = issue_of(&signed, request);
            issue.rehosts_per_year = draft.rehosts_per_year.or_else(|| {
                file.ledger().contract(license_id).and_then(Contract::rehosts_per_year)
            });
            issue.reason = self.over_budget.clone();
            let act = match step {
                Move::Rehost => Act::Rehosted(issue),
                Move::First | Move::Same => Act::Issued(issue),
            };
            file.enter(today, act)?;
        }
        // specs/ledger.md §6: entered and durable before anyone else can have it.
        let handed = self.outputs.write(&signed, &packed.bundle)?;
        let mut warned = warnings(request, root, parcel.documents(), Some(file.ledger()), now);
        warned.extend(given_up_by_another_key(request, file.ledger()));
        warned.extend(issue::warnings(&signed));
        if let (Next::Known(stamp), true) = (next, self.new_id) {
            warned.push(format!(
                "no new contract: the ledger has license {} serial {}, which says the same for this \
                 machine and is handed over again. If it was revoked, change a word of the \
                 template, its metadata for one",
                stamp.license_id, stamp.serial
            ));
        }
        warned.extend(clock::ahead_in(&packed.standing));
        let moved = file.ledger().rehosts_since(license_id, issue::a_year_before(today));
        Ok(told::answer(request, file.ledger(), &signed, &next, step, moved, handed, now)
            .with_warnings(warned)
            .with_said(said.or_else(|| mended(&file))))
    }

    /// Notes a license that is given up by the very request that it would answer.
    fn only_note(
        &self,
        path: &Path,
        root: &TrustRoot,
        request: &Verified<Request>,
        now: Timestamp,
    ) -> Result<Page, Refusal> {
        let mut page = self.show(path, root, request, now)?;
        page.warnings.push(
            "nothing was issued: this machine gives the license up by this very request. Answer the \
             request of the machine that is to have it"
                .to_owned(),
        );
        Ok(page)
    }
}

/// Whether what would answer is what the request gives up; a release that can't be noted is refused
/// before anyone types a passphrase.
fn is_given_up(
    draft: &Draft,
    request: &Verified<Request>,
    ledger: &Ledger,
) -> Result<bool, Refusal> {
    release_of(request, ledger)?;
    Ok(request.release == Some(draft.license_id(ledger, request)?))
}
