//! A tenant that the license calls suspended.

use farhold_contract::model::TenantStatus;

use super::{Found, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "tenant_suspended",
    why: "Agents ignore tenant.status in a license: whoever wrote it expects a stop that never comes.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        if paper.license.tenant.status == TenantStatus::Suspended {
            found.warn(
                paper,
                "tenant.status is suspended, and grants all the same",
                "Leave status out; suspend at the Kernel, or revoke the license.",
            );
        }
    }
}
