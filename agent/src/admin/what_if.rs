//! `GET /admin/what-if`: the dated consequences, from the same calculators that decide.

mod noticed;
mod runtimes;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;

use farhold_api::Refusal;
use farhold_bundle::SiteFacts;
use farhold_contract::{Code, Timestamp};
use farhold_policy::{EntitlementOutlook, LineOutlook, PolicyAt, SupposedClock};
use farhold_terminal::text;

use crate::{
    config::did_you_mean,
    machine,
    snapshot::{Documents, Snapshot},
};

use super::{
    Admin,
    answer::what_if::{
        EntitlementOutlookAnswer, LineOutlookAnswer, NotAdmittedAnswer, WhatIfAnswer,
    },
    answer_of::policy,
};

use noticed::noticed;

/// Most a clock is moved by, in seconds: further than the years that can be written.
const CLOCK_MAX_SECONDS: u64 = 10_000 * 366 * 86_400;

/// What is supposed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Supposed {
    /// The date; absent: today.
    at: Option<Timestamp>,
    /// By how many seconds the system clock is then set back.
    clock_back: Option<u64>,
    /// Or ahead.
    clock_forward: Option<u64>,
    /// Components of the machine that are gone, comma between.
    without: Option<String>,
}

pub(super) async fn show(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let supposed: Supposed = super::query(&parts.uri)?;
        supposed.check()?;
        let supposing = tokio::task::spawn_blocking(move || suppose(&admin, &supposed));
        farhold_api::json(&supposing.await.map_err(|_| Code::ServerInternal)??)
    })
    .await
}

impl Supposed {
    fn check(&self) -> Result<(), Refusal> {
        let wrong = |what: &str| Err(Refusal::new(Code::UsageInvalid, what));
        if self.clock_back.is_some() && self.clock_forward.is_some() {
            return wrong("the clock is set back or forward, not both at one moment");
        }
        let by = self.clock_back.or(self.clock_forward);
        if by.is_some_and(|seconds| seconds > CLOCK_MAX_SECONDS) {
            return wrong("the clock can't be set that far");
        }
        Ok(())
    }

    /// The machine without what is supposed to be gone.
    fn facts(&self, snapshot: &Snapshot) -> Result<(SiteFacts, Vec<String>), Refusal> {
        let mut facts = SiteFacts::clone(&snapshot.facts);
        let mut gone = Vec::new();
        let asked = self.without.as_deref().unwrap_or_default().split(',');
        for name in asked.map(str::trim).filter(|name| !name.is_empty()) {
            let component = machine::component_named(name, &facts.fingerprint)
                .ok_or_else(|| unknown_component(name, &snapshot.facts))?;
            facts.fingerprint.remove(&component);
            gone.push(component);
        }
        Ok((facts, gone))
    }

    fn clock(&self, mut clock: SupposedClock) -> SupposedClock {
        if let Some(at) = self.at {
            clock.run_until(at);
        }
        if let Some(seconds) = self.clock_back {
            clock.set_back(Duration::from_secs(seconds));
        }
        if let Some(seconds) = self.clock_forward {
            clock.set_ahead(Duration::from_secs(seconds));
        }
        clock
    }
}

fn unknown_component(name: &str, facts: &SiteFacts) -> Refusal {
    let known = || facts.fingerprint.keys().map(String::as_str);
    let shown = text::plain(name);
    let detail = match did_you_mean(name, known()) {
        Some(meant) => {
            format!("no component of this machine is called {shown}; did you mean {meant}?")
        }
        None if facts.fingerprint.is_empty() => "no component of this machine is known".to_owned(),
        None => {
            let all: Vec<&str> = known().collect();
            format!("no component of this machine is called {shown}; they are {}", all.join(", "))
        }
    };
    Refusal::new(Code::UsageInvalid, detail)
}

fn suppose(admin: &Admin, supposed: &Supposed) -> Result<WhatIfAnswer, Refusal> {
    let snapshot = Arc::clone(&admin.owner.snapshot());
    let (reading, link) = (admin.clock.read(), admin.link());
    let today = snapshot.now(&reading);
    let (facts, without) = supposed.facts(&snapshot)?;
    let documents = match without.is_empty() {
        true => Arc::clone(&snapshot.documents),
        false => {
            let standing = snapshot.documents.standing.clone();
            Arc::new(Documents::new(standing, &facts, snapshot.documents.set_aside.clone()))
        }
    };
    let clock = supposed.clock(SupposedClock::new(&snapshot.clock, &reading));
    let then = clock.now(documents.floor);
    let milestones = documents.policy.milestones(today.instant);
    let (refused, otherwise) = runtimes::between(
        &snapshot,
        &PolicyAt { policy: &snapshot.documents.policy, now: &today, link },
        &PolicyAt { policy: &documents.policy, now: &then, link },
    );
    Ok(WhatIfAnswer {
        today: policy::clock(&snapshot.documents, &today, snapshot.wall_standing(&reading)),
        then: policy::clock(&documents, &then, clock.wall_standing(documents.floor)),
        noticed: clock.changes().iter().filter_map(|(at, change)| noticed(*at, *change)).collect(),
        without,
        timeline: milestones
            .into_iter()
            .take_while(|milestone| milestone.at <= then.instant)
            .map(policy::milestone)
            .collect(),
        lines: documents.policy.outlook(&then, link).into_iter().map(line).collect(),
        not_admitted: documents
            .not_admitted
            .iter()
            .map(|(&(license_id, serial), why)| NotAdmittedAnswer {
                license_id,
                serial,
                code: why.code,
                detail: why.detail.clone(),
            })
            .collect(),
        runtimes: snapshot.registry.runtime_count(),
        refused,
        otherwise,
    })
}

fn line(outlook: LineOutlook) -> LineOutlookAnswer {
    let LineOutlook { tenant_id, product, standing, next } = outlook;
    let (next_serial, next_at) = next.map(|(serial, at)| (serial.as_u64(), at)).unzip();
    let bare = LineOutlookAnswer {
        tenant_id,
        product: product.to_string(),
        license_id: None,
        serial: None,
        phase: None,
        ends: None,
        verdict: policy::verdict(Err(Code::LicenseMissing)),
        next_serial,
        next_at,
        entitlements: Vec::new(),
    };
    match standing {
        Err(code) => LineOutlookAnswer { verdict: policy::verdict(Err(code)), ..bare },
        Ok(license) => LineOutlookAnswer {
            license_id: Some(license.license_id),
            serial: Some(license.serial.as_u64()),
            phase: Some(license.verdict.phase.as_str().to_owned()),
            ends: license.verdict.ends,
            verdict: policy::verdict(license.verdict.answer),
            entitlements: license.entitlements.into_iter().map(entitlement).collect(),
            ..bare
        },
    }
}

fn entitlement(outlook: EntitlementOutlook) -> EntitlementOutlookAnswer {
    let EntitlementOutlook { feature, scope, limits, verdict, released } = outlook;
    EntitlementOutlookAnswer {
        feature: feature.to_string(),
        scope: policy::scope(scope),
        limits: policy::limits(limits),
        phase: verdict.phase.as_str().to_owned(),
        ends: verdict.ends,
        verdict: policy::verdict(verdict.answer),
        released: released.map(|verdict| policy::verdict(verdict.answer)),
    }
}
