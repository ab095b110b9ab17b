//! Lint: what a license may say and hardly means, found before a site has it.
//!
//! A rule is one file: its name, why it matters, and a look at all papers at once. Nothing here is
//! forbidden; what no site would take is refused by `issue` and `verify`.

mod awkward_time;
mod break_glass_open;
mod dated_ahead;
mod ends_on_weekend;
mod feature_typo;
mod ledger_dates;
mod no_ladder;
mod paper;
mod period_gap;
mod personal_data;
mod quota_below_usage;
mod read;
mod root_near_end;
mod serial_gap;
mod short_ladder;
mod sites_and_device;
mod tenant_suspended;
mod unbound;
mod unverified;

use serde::Serialize;

use farhold_bundle::{
    Period, TrustRoot, Verified,
    payload::{Request, Revocations, Root},
};
use farhold_contract::Timestamp;
use farhold_ledger::Ledger;

pub use paper::Paper;

/// Everything that is looked at together.
pub struct Papers<'a> {
    /// Templates and licenses.
    pub licenses: Vec<Paper>,
    /// Roots among the files, each with its name for people.
    pub roots: Vec<(String, Root)>,
    /// Revocations among the files, each with its name for people.
    pub revocations: Vec<(String, Revocations)>,
    /// What sites have reported of their use.
    pub requests: Vec<Verified<Request>>,
    /// The root that licenses are issued under now.
    pub trust: Option<&'a TrustRoot>,
    /// What has been issued.
    pub ledger: Option<&'a Ledger>,
    /// Now.
    pub at: Timestamp,
    /// How near the end of a root is near.
    pub within: Period,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Worth knowing.
    Note,
    /// Probably not meant.
    Warning,
    /// It will not work as it is.
    Error,
}

impl Weight {
    /// The weight in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule, as `--allow` takes it.
    pub name: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// Of which file, document or line of licenses.
    pub subject: String,
    /// What was found.
    pub what: String,
    /// Why that matters.
    pub why: &'static str,
    /// What to do.
    pub next: String,
}

/// One thing that is looked for.
pub struct Rule {
    /// Its name, as `--allow` takes it.
    pub name: &'static str,
    /// Why it matters.
    pub why: &'static str,
    look: fn(&Papers<'_>, &mut Found<'_>),
}

/// Every rule, in the order of what they say.
pub const RULES: [Rule; 17] = [
    unverified::RULE,
    tenant_suspended::RULE,
    unbound::RULE,
    sites_and_device::RULE,
    ends_on_weekend::RULE,
    awkward_time::RULE,
    dated_ahead::RULE,
    no_ladder::RULE,
    short_ladder::RULE,
    period_gap::RULE,
    serial_gap::RULE,
    quota_below_usage::RULE,
    feature_typo::RULE,
    personal_data::RULE,
    root_near_end::RULE,
    break_glass_open::RULE,
    ledger_dates::RULE,
];

/// Looks at the papers by every rule.
pub fn lint(papers: &Papers<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &RULES {
        (rule.look)(papers, &mut Found { rule, findings: &mut findings });
    }
    findings
}

/// Where a rule puts what it finds.
struct Found<'a> {
    rule: &'a Rule,
    findings: &'a mut Vec<Finding>,
}

impl Found<'_> {
    fn add(
        &mut self,
        weight: Weight,
        subject: impl Into<String>,
        what: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.findings.push(Finding {
            name: self.rule.name,
            weight,
            subject: subject.into(),
            what: what.into(),
            why: self.rule.why,
            next: next.into(),
        });
    }

    fn note(&mut self, paper: &Paper, what: impl Into<String>, next: impl Into<String>) {
        self.add(Weight::Note, &paper.name, what, next);
    }

    fn warn(&mut self, paper: &Paper, what: impl Into<String>, next: impl Into<String>) {
        self.add(Weight::Warning, &paper.name, what, next);
    }
}
