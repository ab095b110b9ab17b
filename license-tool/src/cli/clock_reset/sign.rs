//! `sign` of a clock reset: the site's times, before someone signs it.

use serde_json::json;

use farhold_bundle::{TrustRoot, payload::ClockReset};

use super::{question, site, times};
use crate::{
    cli::{
        clock,
        page::Page,
        sign::{ClockResetArgs, Look, SignArgs},
    },
    clock_reset::{require_answers, warnings},
    draft::{Draft, require_unended},
    refusal::Refusal,
};

/// Signs the draft of a reset.
pub(in crate::cli) fn run(args: &SignArgs, beside: &ClockResetArgs) -> Result<Page, Refusal> {
    args.run::<ClockReset>(|draft, root| look(draft, root, beside))
}

fn look(
    draft: &Draft<ClockReset>,
    root: &TrustRoot,
    beside: &ClockResetArgs,
) -> Result<Look, Refusal> {
    let now = clock::now();
    require_unended(root, now)?;
    let reset = draft.content();
    let request = beside.request.open()?;
    require_answers(reset, &request)?;
    let device = request.device_key.id().to_string();
    Ok(Look {
        name: format!("the clock reset of device {}", request.device_key),
        stands: "comes under",
        stem: format!("clock-reset.{}", &device[..8]),
        shown: times(&request, reset.time),
        question: (!beside.yes).then(|| question(&request, reset.time)),
        json: json!({ "site": site(&request), "clock_reset": reset }),
        warnings: warnings(root, &request, reset.time, now),
    })
}
