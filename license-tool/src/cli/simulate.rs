//! `simulate`: what a site would say, and when.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use farhold_bundle::{LIMITS, SiteFacts, Standing, payload::SiteMode, plan_import};
use farhold_contract::{Code, Date, Timestamp, id::RuntimeId, model::RuntimeType};
use farhold_policy::{ClockChange, RuntimeFacts};

use super::{
    clock,
    lint::fill,
    page::{Page, one_line},
    trust::TrustArgs,
    verify::instant,
};
use crate::{
    contents::{self, Content},
    file,
    refusal::Refusal,
    simulate::{Answer, Event, Occurrence, Scenario, require_mode, simulate},
    verify::refuse_import,
};

/// What `simulate` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What the site imports: a bundle, or one document
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// When it is imported (a day begins in UTC); now if not said
    #[arg(long, value_name = "DATE|TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// Until when it is told; until nothing more happens if not said
    #[arg(long, value_name = "DATE|TIME", value_parser = instant)]
    until: Option<Timestamp>,
    /// How the site is linked: managed or detached
    #[arg(long, value_name = "MODE", value_parser = mode, default_value = "managed")]
    mode: SiteMode,
    /// A runtime that asks: its type, version and release day; repeat it for several
    #[arg(long, value_name = "TYPE:VERSION[:DATE]", value_parser = runtime)]
    runtime: Vec<RuntimeFacts>,
    /// The site's request: also says whether the bundle is for that machine
    #[arg(long, value_name = "REQUEST")]
    request: Option<PathBuf>,
    /// Someone sets the clock back, as 2d@2027-06-01; repeat it for several times
    #[arg(long, value_name = "TIME@DATE", value_parser = set_back)]
    clock_back: Vec<(Timestamp, Duration)>,
}

/// Imports the bundle at a supposed site and tells what follows.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let root = args.trust.open()?;
    let from = args.from.unwrap_or_else(clock::now);
    if args.until.is_some_and(|until| until < from) {
        return Err(Refusal::usage("--until is before --from", "Give a later --until."));
    }
    let site = args
        .request
        .as_ref()
        .map(|path| facts(path, args.mode).map_err(|refusal| refusal.of_file(path)));
    let site = site.transpose()?;
    let bytes = file::read(&args.bundle, LIMITS.bundle_bytes)?;
    let plan = plan_import(&Standing::with_trust(root), &bytes, site.as_ref(), from)
        .map_err(|refusal| refuse_import(refusal).of_file(&args.bundle))?;
    let standing = plan.standing;
    if standing.licenses().is_empty() {
        return Err(Refusal::usage(
            format!("{} brings no license", args.bundle.display()),
            "Give a bundle with the licenses that the site would have.",
        ));
    }
    if site.is_none() {
        require_mode(&standing, args.mode)?;
    }
    let scenario = Scenario {
        mode: args.mode,
        runtimes: args.runtime,
        from,
        until: args.until,
        set_back: args.clock_back,
    };
    let events = simulate(&standing, &scenario);
    let mut text: String = events.iter().map(event_text).collect();
    text.push_str(&match args.until {
        Some(until) => format!("{until}  as far as was asked\n"),
        None => "nothing more happens\n".to_owned(),
    });
    let objects: Vec<Value> = events.iter().map(event_object).collect();
    let json = json!({
        "mode": args.mode.as_str(),
        "from": from,
        "until": args.until,
        "events": objects,
    });
    let bound = site.is_none() && standing.licenses().iter().any(|it| it.binding.is_some());
    let warning = "without --request it is taken for granted that the bindings hold";
    Ok(Page::new(text, json).with_warnings(bound.then(|| warning.to_owned()).into_iter().collect()))
}

/// The site that wrote a request.
fn facts(path: &std::path::Path, mode: SiteMode) -> Result<SiteFacts, Refusal> {
    let bytes = file::read(path, LIMITS.envelope_bytes)?;
    let mut contents = contents::read(&bytes, fill(None, clock::now()))?;
    let (Some(Content::Request(request)), true) = (contents.pop(), contents.is_empty()) else {
        return Err(Refusal::new(Code::PayloadType, "this is not one request of a site")
            .with_next("Give what the site wrote by farhold request."));
    };
    Ok(SiteFacts {
        mode,
        tenants: [request.tenant_id].into(),
        device_key: request.device_key.clone(),
        fingerprint: request.fingerprint.clone(),
        open_nonce: Some(request.nonce.clone()),
        released: Default::default(),
    })
}

fn event_text(event: &Event) -> String {
    let mut text = String::new();
    for (at, occurrence) in event.occurrences.iter().enumerate() {
        let time = if at == 0 { event.at.to_string() } else { " ".repeat(20) };
        text.push_str(&format!("{time}  {}\n", one_line(&occurrence_text(occurrence))));
    }
    if event.now.wall != event.now.instant {
        let (wall, instant) = (event.now.wall, event.now.instant);
        text.push_str(&format!("  the clock says {wall}; it is decided as of {instant}\n"));
    }
    for change in &event.answers {
        let before = change.before.map_or(String::new(), |it| format!("{} -> ", answer_text(it)));
        let subject = one_line(&change.subject.to_string());
        text.push_str(&format!("  {subject}: {before}{}\n", answer_text(change.after)));
    }
    for (code, detail) in &event.conditions {
        text.push_str(&format!("  told as {}: {}\n", code.as_str(), one_line(detail)));
    }
    text
}

fn occurrence_text(occurrence: &Occurrence) -> String {
    match occurrence {
        Occurrence::Imported => "the bundle is imported".to_owned(),
        Occurrence::Milestone(milestone) => {
            let of = format!("{} serial {}", milestone.product, milestone.serial);
            let which: Vec<String> = milestone
                .entitlements
                .iter()
                .map(|(feature, scope)| format!("{feature} for {scope}"))
                .collect();
            let who = if which.is_empty() { of } else { format!("{} of {of}", which.join(", ")) };
            let kept = milestone.kept_before.map_or_else(String::new, |day| {
                format!("; what was released before {day} stays covered")
            });
            format!("{who} {}{kept}", milestone.step)
        }
        Occurrence::RootEnds { version } => format!(
            "root {version} ends: a bundle without a newer root is refused ({})",
            Code::TrustRootExpired
        ),
        Occurrence::SetBack { by } => format!("someone sets the clock back by {}", lasting(*by)),
        Occurrence::Noticed(change) => match change {
            ClockChange::Nothing => "nothing is noticed of it".to_owned(),
            ClockChange::Stepped { by_ms } => {
                format!("the agent notices a step of {} s", by_ms / 1000)
            }
            ClockChange::RolledBack { behind } => {
                format!("the agent tells clock_rollback: {} behind its mark", lasting(*behind))
            }
            ClockChange::LeadSeen { lead } => {
                format!("the agent notices a clock {} ahead of its mark", lasting(*lead))
            }
            ClockChange::LeadAdopted { lead } => {
                format!("the agent believes a clock {} ahead", lasting(*lead))
            }
            ClockChange::Lowered { from, to } => {
                format!("the Kernel lowers the mark from {from} to {to}")
            }
        },
    }
}

fn lasting(time: Duration) -> String {
    let hours = time.as_secs() / 3600;
    match (hours / 24, hours % 24, time.as_secs() % 3600 / 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, _) => format!("{hours} h"),
        (days, 0, _) => format!("{days} days"),
        (days, hours, _) => format!("{days} days {hours} h"),
    }
}

fn answer_text(answer: Answer) -> String {
    match answer {
        Ok(mode) => format!("allowed ({})", mode.as_str()),
        Err(code) => format!("refused ({code})"),
    }
}

fn event_object(event: &Event) -> Value {
    let occurrences: Vec<Value> = event.occurrences.iter().map(occurrence_object).collect();
    let answer = |answer: Answer| match answer {
        Ok(mode) => json!({ "allowed": true, "mode": mode }),
        Err(code) => json!({ "allowed": false, "code": code.as_str() }),
    };
    let answers: Vec<Value> = event
        .answers
        .iter()
        .map(|change| {
            json!({
                "subject": change.subject.to_string(),
                "before": change.before.map(answer),
                "after": answer(change.after),
            })
        })
        .collect();
    let conditions: Vec<Value> = event
        .conditions
        .iter()
        .map(|(code, detail)| json!({ "code": code.as_str(), "detail": detail }))
        .collect();
    json!({
        "at": event.at,
        "wall": event.now.wall,
        "mark": event.now.mark,
        "decided_at": event.now.instant,
        "occurrences": occurrences,
        "answers": answers,
        "conditions": conditions,
    })
}

fn occurrence_object(occurrence: &Occurrence) -> Value {
    let mut object = json!({ "what": occurrence_text(occurrence) });
    let kind = match occurrence {
        Occurrence::Imported => "imported",
        Occurrence::Milestone(milestone) => {
            object["tenant_id"] = json!(milestone.tenant_id);
            object["product"] = json!(&*milestone.product);
            object["license_id"] = json!(milestone.license_id);
            object["serial"] = json!(milestone.serial);
            milestone.step.as_str()
        }
        Occurrence::RootEnds { version } => {
            object["root"] = json!(version);
            "root_ends"
        }
        Occurrence::SetBack { by } => {
            object["seconds"] = json!(by.as_secs());
            "set_back"
        }
        Occurrence::Noticed(_) => "noticed",
    };
    object["step"] = Value::from(kind);
    object
}

fn mode(text: &str) -> Result<SiteMode, String> {
    [SiteMode::Managed, SiteMode::Detached]
        .into_iter()
        .find(|mode| mode.as_str() == text)
        .ok_or_else(|| "neither managed nor detached".to_owned())
}

/// A runtime as `courses:2.1.0` or `courses:2.1.0:2026-05-01`.
fn runtime(text: &str) -> Result<RuntimeFacts, String> {
    let mut parts = text.splitn(3, ':');
    let kind = parts.next().unwrap_or_default();
    let runtime_type =
        RuntimeType::ALL.into_iter().find(|it| it.as_str() == kind).ok_or_else(|| {
            let all: Vec<&str> = RuntimeType::ALL.iter().map(|it| it.as_str()).collect();
            format!("{kind} is not a type of runtime; there are {}", all.join(", "))
        })?;
    let version = parts.next().filter(|version| !version.is_empty());
    let version = version.ok_or("the version is missing, as in courses:2.1.0")?.to_owned();
    let released_on: Option<Date> = parts
        .next()
        .map(|day| day.parse().map_err(|_| format!("{day} is not a day like 2026-05-01")))
        .transpose()?;
    Ok(RuntimeFacts {
        runtime_id: clock::new_id(RuntimeId::from_uuid),
        runtime_type,
        version,
        released_on,
    })
}

/// A time and a day, as `2d@2027-06-01` or `PT36H@2027-06-01T08:00:00Z`.
fn set_back(text: &str) -> Result<(Timestamp, Duration), String> {
    let (by, at) = text.split_once('@').ok_or("not a time and a day, as 2d@2027-06-01")?;
    let malformed = || format!("{by} is not a length of time like 2d or 36h");
    let span: jiff::Span = by.parse().map_err(|_| malformed())?;
    let seconds = span
        .total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| malformed())?;
    if !(1.0..=100.0 * 366.0 * 86_400.0).contains(&seconds) {
        return Err(malformed());
    }
    Ok((instant(at)?, Duration::from_secs(seconds as u64)))
}
