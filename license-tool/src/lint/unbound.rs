//! A license for sites without a link that no machine is named in.

use farhold_bundle::payload::{Binding, SiteMode};

use super::{Found, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "unbound",
    why: "Every copy of the file serves any machine that says it is the tenant's; nobody counts them.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        let license = &paper.license;
        if license.binding == Some(Binding::None) && license.modes.contains(&SiteMode::Detached) {
            found.warn(
                paper,
                "binding is \"none\", and detached sites may use it",
                "Answer the site's request (license-tool answer), which binds it to that machine.",
            );
        }
    }
}
