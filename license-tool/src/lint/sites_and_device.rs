//! Several sites, one device key.

use farhold_bundle::payload::Binding;

use super::{Found, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "sites_and_device",
    why: "An agent is its device key: only one site can take the license, whatever sites says.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        let sites = paper.license.sites;
        if sites.as_u64() > 1 && matches!(paper.license.binding, Some(Binding::DeviceKey(_))) {
            found.warn(
                paper,
                format!("sites is {sites}, and it is bound to one device key"),
                "Issue one license a site, or write sites = 1.",
            );
        }
    }
}
