//! Break glass: a license while the ledger is not at hand, and a slip for when it is.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::{Positive, Signer};

use super::{
    Args,
    one::{Draft, page, write},
};
use crate::{
    cli::page::Page,
    file, issue,
    ledger::{Slip, require_reason},
    refusal::Refusal,
    template::Stamp,
};

/// Signs a license and writes its slip beside it, the slip first.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let out = args.out()?;
    let mut slip_path = out.as_os_str().to_owned();
    slip_path.push(".slip");
    let slip_path = PathBuf::from(slip_path);
    file::require_free(&slip_path, args.inputs())?;
    let reason = args.reason.as_deref().unwrap_or_default();
    require_reason(reason)?;
    let root = args.trust.open()?;
    let draft = Draft::read(args, &root)?;
    let signers = args.load(&root)?;
    let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    let stamp = Stamp {
        license_id: draft.license_id(args)?,
        serial: args.serial.unwrap_or(Positive::MIN),
        issued_at: args.now(),
    };
    let signed = issue::issue(&root, &draft.cast(stamp), &signers)?;
    file::write_new(&slip_path, &Slip::of(&signed, reason.trim()).bytes())?;
    write(out, signed.line())?;
    let mut page = page(out, &signed, None);
    page.text.push_str(&format!("slip        {}\n", slip_path.display()));
    page.json["slip"] = json!(slip_path.display().to_string());
    page.warnings.push(format!(
        "the ledger does not know of it: license-tool ledger enter LEDGER {} --root ROOT",
        slip_path.display()
    ));
    Ok(page)
}
