//! `sign` of revocations: what a generation revokes and takes back, before someone signs it.

use serde_json::json;

use farhold_bundle::{TrustRoot, Verified, payload::Revocations};

use super::{list, require_loss_meant};
use crate::{
    cli::{
        clock,
        page::{Page, one_line},
        sign::{Look, RevocationArgs, SignArgs},
    },
    draft::{Draft, require_unended},
    refusal::Refusal,
    revoke::{Changes, changes, require_newest},
};

/// Signs the draft of a generation.
pub(in crate::cli) fn run(args: &SignArgs, beside: &RevocationArgs) -> Result<Page, Refusal> {
    args.run::<Revocations>(|draft, root| look(draft, root, beside))
}

fn look(
    draft: &Draft<Revocations>,
    root: &TrustRoot,
    beside: &RevocationArgs,
) -> Result<Look, Refusal> {
    require_unended(root, clock::now())?;
    let revocations = draft.content();
    let generation = revocations.generation;
    let before = beside.from.open(root)?;
    let before = before.as_ref().map(Verified::content);
    let issued = beside.known.read(root)?;
    let known = issued.revocations(None, &root.root().revoked_keys);
    require_newest(revocations, known.into_iter().chain(before))?;
    require_next(revocations, before)?;
    let changes = changes(before, revocations);
    require_loss_meant(before, &changes.losses, beside.allow_loss)?;
    let losing = issued.fall_by(revocations, before, clock::now());

    let mut shown = format!("dated {}\n", revocations.issued_at);
    shown.push_str(&text(&changes, revocations, before));
    for customer in &losing {
        shown.push_str(&format!("  loses  {}\n", one_line(&customer.to_string())));
    }
    let mut warnings = Vec::new();
    if !changes.losses.is_empty() {
        warnings.push(format!("takes back: {}", list(&changes.losses)));
    }
    warnings.extend(clock::ahead(revocations.issued_at));
    Ok(Look {
        name: format!("generation {generation} of the revocations"),
        stands: "comes under",
        stem: format!("revocations.{generation}"),
        shown,
        question: None,
        json: json!({ "revocations": revocations, "losing": losing }),
        warnings,
    })
}

/// Refuses to sign a generation without the one before it: what it takes back would not be seen.
fn require_next(list: &Revocations, before: Option<&Revocations>) -> Result<(), Refusal> {
    let generation = list.generation.as_u64();
    let had = before.map_or(0, |before| before.generation.as_u64());
    if had + 1 == generation {
        return Ok(());
    }
    let what = match before {
        None => format!("generation {generation} can't be held against the one before it"),
        Some(_) => format!("generation {generation} does not come after generation {had}"),
    };
    let next = match generation {
        1 => "Leave out --from: there is none before generation 1.".to_owned(),
        _ => format!("Give generation {} as --from.", generation - 1),
    };
    Err(Refusal::usage(what, next))
}

/// Most changes of one kind that are shown; the hash stands for all of them.
const SHOWN: usize = 100;

fn text(changes: &Changes, list: &Revocations, before: Option<&Revocations>) -> String {
    let added = changes.licenses.iter().map(|id| format!("revokes license {id}"));
    let raised = changes.serials_below.iter().map(|(line, serial)| {
        format!("revokes what is below serial {serial} of {}/{}", line.tenant_id, line.product)
    });
    let back = changes.losses.iter().map(|loss| format!("takes back: {loss}"));
    let all: Vec<String> = back.chain(added).chain(raised).collect();
    let mut text = match (before, all.is_empty()) {
        (Some(before), true) => {
            format!("says what generation {} said, and no more\n", before.generation)
        }
        _ => "changes:\n".to_owned(),
    };
    for line in all.iter().take(SHOWN) {
        text.push_str(&format!("  {}\n", one_line(line)));
    }
    if let Some(more @ 1..) = all.len().checked_sub(SHOWN) {
        text.push_str(&format!("  and {more} more; --dry-run --json has the whole list\n"));
    }
    text.push_str(&format!(
        "in all: {} licenses and {} lines are revoked\n",
        list.licenses.len(),
        list.serials_below.len()
    ));
    text
}
