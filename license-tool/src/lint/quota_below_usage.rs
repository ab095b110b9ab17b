//! A quota that has been used up before it is given.

use farhold_bundle::{Verified, payload::Request};

use super::{Found, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "quota_below_usage",
    why: "The site's counter goes on: it would be refused from the day the license arrives.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        let license = &paper.license;
        let requests = papers.requests.iter().filter(|it| it.tenant_id == license.tenant.tenant_id);
        let reports = requests.filter(|request| is_last(request, &papers.requests));
        for report in reports.flat_map(|request| &request.usage) {
            if report.license_id != license.license_id {
                continue;
            }
            // The most that one of its entitlements allows: which of them was used is not said.
            let of_feature = license.entitlements.iter().filter(|it| it.feature == report.feature);
            let most = of_feature
                .map(|entitlement| {
                    let limits = &entitlement.limits;
                    let overage = limits.overage.map_or(0, |units| units.as_u64());
                    Some((limits.quota?.as_u64() + overage, limits.time_window.as_ref()))
                })
                .try_fold(None, |most: Option<(u64, _)>, limit| {
                    let limit = limit?; // without quota: nothing is used up
                    Some(Some(
                        most.map_or(limit, |most| if most.0 < limit.0 { limit } else { most }),
                    ))
                })
                .flatten();
            if let Some((most, window)) = most
                && most < report.used.as_u64()
            {
                let window = window.map_or_else(
                    || "in the contract's life".to_owned(),
                    |window| format!("in a window of {window}"),
                );
                found.warn(
                    paper,
                    format!(
                        "{} allows {most} with its overage, and {} were used {window} when the \
                         site last reported",
                        report.feature, report.used
                    ),
                    "Raise the quota above what is used, or agree on the cut with the customer.",
                );
            }
        }
    }
}

/// Whether a machine has reported nothing since: what an older request says is of another window.
fn is_last(request: &Request, all: &[Verified<Request>]) -> bool {
    !all.iter().any(|other| other.device_key == request.device_key && other.mark > request.mark)
}
