//! `ledger list`: every license and where it stands.

use std::path::PathBuf;

use serde_json::{Value, json};

use farhold_contract::{Date, Timestamp, id::TenantId};
use farhold_ledger::{Bound, Contract, Ledger};

use super::open;
use crate::{
    cli::{
        clock,
        page::{Page, one_line},
    },
    issue::a_year_before,
    ledger,
    refusal::Refusal,
};

/// What `ledger list` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The ledger
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,
    /// Only those of this organization
    #[arg(long, value_name = "UUIDv7")]
    tenant: Option<TenantId>,
    /// Only those of this product
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// Only those whose last day is before this one
    #[arg(long, value_name = "DATE")]
    ends_before: Option<Date>,
}

/// Lists licenses.
pub(super) fn run(args: &Args) -> Result<Page, Refusal> {
    let ledger = ledger::read(&args.ledger)?;
    let since = a_year_before(clock::now());
    let wanted: Vec<&Contract> = ledger.contracts().filter(|found| args.wants(found)).collect();
    let mut text = String::new();
    for contract in &wanted {
        text.push_str(&line(contract, since));
    }
    text.push_str(&format!("{} of {} licenses\n", wanted.len(), ledger.contracts().len()));
    let json = json!({
        "licenses": wanted.iter().map(|contract| object(contract, &ledger, since)).collect::<Vec<_>>(),
        "head": ledger.head(),
    });
    Ok(Page::new(text, json).with_warnings(open::words(&ledger)))
}

impl Args {
    fn wants(&self, contract: &Contract) -> bool {
        let newest = &contract.newest;
        self.tenant.is_none_or(|tenant| tenant == newest.tenant_id)
            && self.product.as_ref().is_none_or(|product| *product == newest.product)
            && self.ends_before.is_none_or(|day| newest.expires_on.is_some_and(|ends| ends < day))
    }
}

fn line(contract: &Contract, since: Timestamp) -> String {
    let newest = &contract.newest;
    let ends = newest.expires_on.map_or_else(|| "never".to_owned(), |day| day.to_string());
    let moves = match contract.rehosts_since(since) {
        0 => String::new(),
        1 => ", moved once within a year".to_owned(),
        times => format!(", moved {times} times within a year"),
    };
    format!(
        "{}  serial {}  {}  for {} ({})  ends {ends}  bound to {}{moves}\n",
        contract.license_id,
        newest.serial,
        newest.product,
        one_line(&newest.issued_to),
        newest.tenant_id,
        newest.bound.as_ref().map_or("nothing", Bound::as_str),
    )
}

fn object(contract: &Contract, ledger: &Ledger, since: Timestamp) -> Value {
    let newest = &contract.newest;
    let next = ledger.next_serial(&newest.line());
    let mut object = json!({
        "license_id": contract.license_id,
        "serial": newest.serial,
        "product": newest.product,
        "issued_to": newest.issued_to,
        "tenant_id": newest.tenant_id,
        "issued_at": newest.issued_at,
        "not_before": newest.not_before,
        "sha256": newest.sha256,
        "keys": newest.keys,
        "rehosts_within_a_year": contract.rehosts_since(since),
    });
    let optional = [
        ("expires_on", newest.expires_on.map(|day| json!(day))),
        ("stops_at", newest.stops_at.map(|at| json!(at))),
        ("binding", newest.bound.as_ref().map(|bound| json!(bound.as_str()))),
        ("device_key", newest.bound.as_ref().and_then(Bound::device_key).map(|key| json!(key))),
        ("rehosts_per_year", contract.rehosts_per_year().map(|budget| json!(budget))),
        ("next_serial", next.map(|serial| json!(serial))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    object
}
