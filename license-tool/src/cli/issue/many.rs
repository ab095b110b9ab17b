//! Many licenses: one for each row of a table.

use serde_json::json;

use farhold_bundle::Signer;
use farhold_contract::id::LicenseId;

use super::{Args, template_text};
use crate::{
    cli::{
        clock,
        ledger::{mended, open_file},
        page::{Page, talk},
    },
    file,
    issue::many::{
        Batch, CSV_MAX_BYTES, Checked, Desk, Mistakes, Outcome, Plan, Press, Shelf, Table, plan,
        run as sign,
    },
    ledger::{self, LedgerFile},
    progress::Progress,
    refusal::Refusal,
};

/// Checks every row, then signs, enters and writes each.
pub(super) fn run(args: Args) -> Result<Page, Refusal> {
    let (Some(csv), Some(ledger_path)) = (&args.csv, &args.ledger) else {
        return Err(Refusal::usage("a table needs a ledger", "Give --csv and --ledger."));
    };
    require_outputs(&args)?;
    let root = args.trust.open()?;
    let template = template_text(args.template()?)?;
    let of_table = |refusal: Refusal| refusal.of_file(csv);
    let table = Table::read(&file::read(csv, CSV_MAX_BYTES)?).map_err(of_table)?;
    let batch = Batch::new(&template, table, root.root().issuer.id, args.unbound)
        .map_err(|refusal| said_of(&args, refusal))?;
    let (now, today) = (args.now(), clock::now());
    let new_id: &(dyn Fn() -> LicenseId + Sync) = &|| clock::new_id(LicenseId::from_uuid);
    let (root, reissue) = (&root, args.reissue);
    // A rehearsal needs no keys, and counts as many as must sign.
    let threshold = root.root().roles.license.threshold.as_u64() as usize;
    let keys = args.key.len().max(threshold);
    let desk = |ledger| Desk { ledger, root, now, today, keys, reissue, new_id };
    let refuse = |mistakes: Mistakes| tell(&args, &mistakes);
    if args.dry_run {
        let ledger = ledger::read(ledger_path)?;
        let checked = batch.check(&desk(&ledger)).map_err(refuse)?;
        let plan = plan(&batch, &checked, &ledger, now).map_err(refuse)?;
        return Ok(preview(&batch, &checked, &plan));
    }
    // Keys before the lock: nobody waits for the ledger while someone types a passphrase.
    let keys = args.load(root)?;
    let signers: Vec<&(dyn Signer + Sync)> =
        keys.iter().map(|key| key as &(dyn Signer + Sync)).collect();
    let mut ledger = open_file(ledger_path, root)?;
    let checked = batch.check(&desk(ledger.ledger())).map_err(refuse)?;
    let plan = plan(&batch, &checked, ledger.ledger(), now).map_err(refuse)?;
    let shelf = shelf(&args)?;
    let mut progress = Progress::on_terminal(batch.len());
    progress.at(0);
    let press = Press { batch: &batch, plan: &plan, root, signers: &signers };
    let outcome = sign(&press, now, today, &mut ledger, shelf, |done| progress.at(done));
    drop(progress);
    let outcome = outcome.inspect_err(|_| {
        talk("what was entered so far is written or known: run the same again for the rest");
    })?;
    Ok(done(&args, &checked, &plan, outcome, &ledger))
}

/// Says every mistake that fits, and refuses with the first.
fn tell(args: &Args, mistakes: &Mistakes) -> Refusal {
    for other in mistakes.others() {
        talk(&format!("also {other}"));
    }
    let refusal = mistakes.refusal();
    match &args.csv {
        Some(csv) => refusal.of_file(csv),
        None => refusal,
    }
}

fn require_outputs(args: &Args) -> Result<(), Refusal> {
    match (&args.out_dir, &args.out_jsonl) {
        (None, None) if !args.dry_run => Err(Refusal::usage(
            "there is no place for the licenses",
            "Give --out-dir FOLDER or --out-jsonl FILE.",
        )),
        (_, Some(file)) => {
            file::require_free(file, args.inputs())?;
            Shelf::require_usable(file, args.inputs())
        }
        _ => Ok(()),
    }
}

fn shelf(args: &Args) -> Result<Shelf, Refusal> {
    match (&args.out_dir, &args.out_jsonl) {
        (Some(folder), _) => Shelf::folder(folder),
        (None, Some(file)) => Shelf::lines(file),
        (None, None) => Err(Refusal::usage(
            "there is no place for the licenses",
            "Give --out-dir FOLDER or --out-jsonl FILE.",
        )),
    }
}

/// Names the file that a mistake is in: the table's are said by line and column.
fn said_of(args: &Args, refusal: Refusal) -> Refusal {
    match &args.csv {
        Some(csv) if refusal.what().contains(", column ") => refusal.of_file(csv),
        _ => args.template.iter().fold(refusal, |refusal, path| refusal.of_file(path)),
    }
}

fn preview(batch: &Batch, checked: &Checked, plan: &Plan) -> Page {
    let text = format!(
        "rows        {}\nto issue    {}\nknown       {}\n{}nothing was signed\n",
        batch.len(),
        plan.to_issue(),
        plan.known(),
        keys(plan)
    );
    let json = json!({
        "dry_run": true,
        "rows": batch.len(),
        "to_issue": plan.to_issue(),
        "known": plan.known(),
        "anew": plan.anew(),
        "former_key": plan.former(),
    });
    Page::new(text, json).with_warnings(warnings(checked, batch.len()))
}

fn done(
    args: &Args,
    checked: &Checked,
    plan: &Plan,
    outcome: Outcome,
    ledger: &LedgerFile,
) -> Page {
    let Outcome { issued, finished, there } = outcome;
    let rows = issued + finished + there;
    let out = args.out_dir.as_ref().or(args.out_jsonl.as_ref());
    let out = out.map(|path| path.display().to_string()).unwrap_or_default();
    let head = ledger.ledger().head();
    let text = format!(
        "issued      {issued}\nfinished    {finished} that the ledger had already\nwere there  {there}\n\
         {}written to  {out}\nledger      {} entries, head {}\n",
        keys(plan),
        head.seq,
        head.hash
    );
    let json = json!({
        "rows": rows,
        "issued": issued,
        "finished": finished,
        "there": there,
        "anew": plan.anew(),
        "former_key": plan.former(),
        "out": out,
        "ledger": head,
    });
    Page::new(text, json).with_warnings(warnings(checked, rows as usize)).with_said(mended(ledger))
}

/// What other keys than today's have signed, where there is something to say.
fn keys(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.anew() > 0 {
        text.push_str(&format!(
            "anew        {} of those issued: what their keys signed no longer counts\n",
            plan.anew()
        ));
    }
    if plan.former() > 0 {
        text.push_str(&format!(
            "former key  {} keep their serial: their key was rotated, and what it signed stays; \
             --reissue gives them the next one\n",
            plan.former()
        ));
    }
    text
}

fn warnings(checked: &Checked, rows: usize) -> Vec<String> {
    let counted = |(warning, count): (&String, &u64)| format!("{warning} ({count} of {rows})");
    checked.warnings.iter().map(counted).collect()
}
