//! The doctor: one check a file, each with what it found and what to do.
//!
//! A check that needs another one's subject is skipped when that one failed, and says so: one
//! fault reads as one fault.

mod agent_running;
mod certificate_valid;
mod clock_plausible;
mod config_valid;
mod drop_folder;
mod kernel_reachable;
mod license_in_force;
mod machine_binding;
mod site;
mod state_directory;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use agent_running::is_alive;
pub use site::Site;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works; someone should look.
    Warning,
    /// It does not work.
    Failed,
    /// Not examined.
    Skipped,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it came to.
    pub outcome: Outcome,
    /// What was found, in one sentence.
    pub detail: String,
    /// What to do next; always there unless all is well.
    pub next: Option<String>,
}

impl Verdict {
    /// As it should be.
    pub fn ok(detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::Ok, detail: detail.into(), next: None }
    }

    /// It works; someone should look.
    pub fn warning(detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warning, detail: detail.into(), next: Some(next.into()) }
    }

    /// It does not work.
    pub fn failed(detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, detail: detail.into(), next: Some(next.into()) }
    }

    /// Not examined.
    pub fn skipped(detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, detail: detail.into(), next: Some(next.into()) }
    }
}

/// One check as a part of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check.
    pub id: &'static str,
    /// What it came to.
    pub outcome: Outcome,
    /// What was found.
    pub detail: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

struct Check {
    id: &'static str,
    needs: &'static [&'static str],
    examine: fn(&Site) -> Verdict,
}

/// In the order they run and are shown; a check comes after those it needs.
const CHECKS: [Check; 9] = [
    Check { id: config_valid::ID, needs: &[], examine: config_valid::examine },
    Check {
        id: state_directory::ID,
        needs: &[config_valid::ID],
        examine: state_directory::examine,
    },
    Check { id: agent_running::ID, needs: &[config_valid::ID], examine: agent_running::examine },
    Check {
        id: clock_plausible::ID,
        needs: &[agent_running::ID],
        examine: clock_plausible::examine,
    },
    Check {
        id: license_in_force::ID,
        needs: &[agent_running::ID],
        examine: license_in_force::examine,
    },
    Check {
        id: machine_binding::ID,
        needs: &[agent_running::ID],
        examine: machine_binding::examine,
    },
    Check {
        id: kernel_reachable::ID,
        needs: &[agent_running::ID],
        examine: kernel_reachable::examine,
    },
    Check {
        id: certificate_valid::ID,
        needs: &[agent_running::ID],
        examine: certificate_valid::examine,
    },
    Check { id: drop_folder::ID, needs: &[config_valid::ID], examine: drop_folder::examine },
];

/// The ids of all checks, in order.
pub fn ids() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.id)
}

/// Examines the site, but for the checks to skip.
pub fn examine(site: &Site, skip: &BTreeSet<&str>) -> Vec<Finding> {
    run(&CHECKS, site, skip)
}

fn run(checks: &[Check], site: &Site, skip: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // What can't be examined, with the check that failed at the root of it.
    let mut missing: BTreeMap<&str, &str> = BTreeMap::new();
    for check in checks {
        let failed_need = check.needs.iter().find_map(|need| missing.get(need).copied());
        let verdict = if skip.contains(check.id) {
            Verdict::skipped("not asked for", "Leave out --skip to examine it.")
        } else if let Some(culprit) = failed_need {
            missing.insert(check.id, culprit);
            let detail = format!("needs {culprit}, which failed");
            Verdict::skipped(detail, format!("Follow the next step of {culprit} first."))
        } else {
            (check.examine)(site)
        };
        if verdict.outcome == Outcome::Failed {
            missing.insert(check.id, check.id);
        }
        let Verdict { outcome, detail, next } = verdict;
        findings.push(Finding { id: check.id, outcome, detail, next });
    }
    findings
}

/// An error with its causes on one line, for a finding.
fn told(error: &anyhow::Error) -> String {
    farhold_terminal::Told::of(error, crate::exit::known).detail
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: [Check; 4] = [
        Check { id: "root", needs: &[], examine: |_| Verdict::failed("broken", "Repair it.") },
        Check { id: "branch", needs: &["root"], examine: |_| Verdict::ok("fine") },
        Check { id: "leaf", needs: &["branch"], examine: |_| Verdict::ok("fine") },
        Check { id: "other", needs: &[], examine: |_| Verdict::ok("fine") },
    ];

    fn outcomes(findings: &[Finding]) -> Vec<Outcome> {
        findings.iter().map(|finding| finding.outcome).collect()
    }

    #[test]
    fn what_hangs_on_a_failed_check_is_skipped_and_names_the_root_of_it() {
        use Outcome::{Failed, Ok, Skipped};
        let site = Site::new(Err(crate::config::ConfigError::at(
            crate::config::Origin::Default,
            "not needed here",
        )));
        let findings = run(&TREE, &site, &BTreeSet::new());
        assert_eq!(outcomes(&findings), [Failed, Skipped, Skipped, Ok]);
        assert_eq!(findings[2].detail, "needs root, which failed");
        let findings = run(&TREE, &site, &BTreeSet::from(["root"]));
        assert_eq!(outcomes(&findings), [Skipped, Ok, Ok, Ok], "skipping is no failure");
    }

    #[test]
    fn ids_are_kebab_case_and_every_need_comes_first() {
        let mut before = BTreeSet::new();
        for check in &CHECKS {
            assert!(check.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
            assert!(check.needs.iter().all(|need| before.contains(need)));
            assert!(before.insert(check.id));
        }
    }
}
