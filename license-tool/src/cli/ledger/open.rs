//! What is open in a ledger: what someone should look at.

use serde_json::{Value, json};

use farhold_ledger::Ledger;

/// In words, one a matter.
pub(super) fn words(ledger: &Ledger) -> Vec<String> {
    let mut words = Vec::new();
    for met in ledger.open_break_glass() {
        words.push(format!(
            "license {} serial {} was issued without the ledger, and its slip has not come in",
            met.license_id, met.serial
        ));
    }
    for clash in ledger.clashes() {
        words.push(format!(
            "serial {} of {} for tenant {} was given to two licenses (entries {:?}): issue the next \
             one for whoever has the other",
            clash.serial, clash.line.product, clash.line.tenant_id, clash.entries
        ));
    }
    for gap in ledger.gaps() {
        let serials = if gap.from == gap.to {
            format!("serial {} is", gap.from)
        } else {
            format!("serials {} to {} are", gap.from, gap.to)
        };
        words.push(format!(
            "{serials} missing of {} for tenant {}: a slip may still be out",
            gap.line.product, gap.line.tenant_id
        ));
    }
    for setback in ledger.setbacks() {
        words.push(format!(
            "entry {} is dated {}, and the one before it {}: a desk's clock was wrong, and moves are \
             counted by these dates",
            setback.seq, setback.at, setback.before
        ));
    }
    words
}

/// For programs.
pub(super) fn object(ledger: &Ledger) -> Value {
    let break_glass: Vec<Value> = ledger
        .open_break_glass()
        .map(|met| json!({ "license_id": met.license_id, "serial": met.serial, "sha256": met.sha256 }))
        .collect();
    let clashes: Vec<Value> = ledger
        .clashes()
        .iter()
        .map(|clash| {
            json!({
                "tenant_id": clash.line.tenant_id,
                "product": clash.line.product,
                "serial": clash.serial,
                "entries": clash.entries,
            })
        })
        .collect();
    let gaps: Vec<Value> = ledger
        .gaps()
        .iter()
        .map(|gap| {
            json!({
                "tenant_id": gap.line.tenant_id,
                "product": gap.line.product,
                "from": gap.from,
                "to": gap.to,
            })
        })
        .collect();
    let setbacks: Vec<Value> = ledger
        .setbacks()
        .iter()
        .map(|setback| json!({ "entry": setback.seq, "at": setback.at, "before": setback.before }))
        .collect();
    json!({ "break_glass": break_glass, "clashes": clashes, "gaps": gaps, "setbacks": setbacks })
}
