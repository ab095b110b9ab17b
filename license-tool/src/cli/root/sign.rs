//! `root sign`, and `sign` of a root: what a next root changes, before someone signs it.

use serde_json::json;

use farhold_bundle::{TrustRoot, payload::Root};
use farhold_contract::Code;

use super::{date::require_plausible, print};
use crate::{
    cli::{
        clock,
        page::Page,
        sign::{Look, SignArgs},
    },
    refusal::Refusal,
    root::{Draft, differences},
};

/// Signs the draft of a root.
pub(in crate::cli) fn run(args: &SignArgs) -> Result<Page, Refusal> {
    args.run::<Root>(look)
}

fn look(draft: &Draft, before: &TrustRoot) -> Result<Look, Refusal> {
    refuse_ended(draft)?;
    require_plausible(draft.content(), before)?;
    let version = draft.content().version;
    let differences = differences(before.root(), draft.content());
    Ok(Look {
        name: format!("root {version}"),
        stands: "follows",
        stem: format!("root.{version}"),
        shown: print::changes(&differences),
        question: None,
        json: json!({ "root": draft.content(), "changes": print::changes_json(&differences) }),
        warnings: Vec::new(),
    })
}

/// A root that has ended would be taken as a link of the chain, and would bring in nothing.
fn refuse_ended(draft: &Draft) -> Result<(), Refusal> {
    let ends = draft.content().expires;
    if ends > clock::now() {
        return Ok(());
    }
    let what = format!("root {} would have ended at {ends} already", draft.content().version);
    Err(Refusal::new(Code::TrustRootExpired, what)
        .with_next("Draft it again with a later --expires."))
}
