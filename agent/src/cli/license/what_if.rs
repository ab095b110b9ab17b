//! `farhold license what-if`: what would be decided at another time, by another clock, on another
//! machine; nothing is changed.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo, tz::TimeZone};

use farhold_contract::{Date, Timestamp};
use farhold_terminal::{stdout, text};

use super::timeline;
use crate::{
    admin::{
        answer::{
            ClockAnswer,
            what_if::{EntitlementOutlookAnswer, LineOutlookAnswer, WhatIfAnswer},
        },
        client::Ask,
    },
    cli::{
        decision::{features, limits, nothing, phase, scope, verdict},
        session::Session,
        status::counted_from,
    },
};

/// Ten thousand entitlements for every registered runtime take a moment.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The day (its start in UTC) or time to look at; now if not said
    #[arg(long, value_name = "DATE|TIME", value_parser = instant)]
    at: Option<Timestamp>,
    /// Then set the system clock back by this much, like 2d or 36h
    #[arg(long, value_name = "TIME", value_parser = seconds, conflicts_with = "clock_forward")]
    clock_back: Option<u64>,
    /// Then set the system clock ahead by this much
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    clock_forward: Option<u64>,
    /// Without this component of the machine, like eth0 or machine_id; may be repeated
    #[arg(long, value_name = "NAME", value_parser = component)]
    without: Vec<String>,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(self.path()).patience(PATIENCE);
        let answer: WhatIfAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(self.described(&answer).as_bytes())
    }

    fn path(&self) -> String {
        let mut asked = Vec::new();
        asked.extend(self.at.map(|at| format!("at={at}")));
        asked.extend(self.clock_back.map(|seconds| format!("clock_back={seconds}")));
        asked.extend(self.clock_forward.map(|seconds| format!("clock_forward={seconds}")));
        if !self.without.is_empty() {
            asked.push(format!("without={}", self.without.join(",")));
        }
        format!("/admin/what-if?{}", asked.join("&"))
    }

    fn described(&self, answer: &WhatIfAnswer) -> String {
        let (today, then) = (&answer.today, &answer.then);
        let mut told =
            format!("Licenses would be judged by {}.\n", text::moment(then.now, today.now));
        if self.at.is_some_and(|at| at < today.now) {
            told.push_str(&format!(
                "It is later than that already ({}), and time does not go back.\n",
                today.now
            ));
        }
        if let Some(counted) = counted_from(today) {
            told.push_str(&format!("{counted}\n"));
        }
        told.push_str(&clocks(then));
        for noticed in &answer.noticed {
            told.push_str(&format!("  {}: {}\n", noticed.at, text::plain(&noticed.words)));
        }
        if !answer.without.is_empty() {
            let gone: Vec<String> = answer.without.iter().map(|name| text::plain(name)).collect();
            told.push_str(&format!("Without {}.\n", gone.join(", ")));
        }
        if !answer.timeline.is_empty() {
            told.push_str("\nUntil then:\n");
            told.push_str(&timeline::described(&answer.timeline, today.now));
        }
        for line in &answer.lines {
            told.push_str(&line_outlook(line, then.now));
        }
        if answer.lines.is_empty() {
            told.push_str("\nNo license is stored: every check is denied.\n");
        }
        for license in &answer.not_admitted {
            told.push_str(&format!(
                "\nNot admitted: license {} serial {}\n  {}: {}\n",
                license.license_id,
                license.serial,
                license.code,
                text::plain(&license.detail)
            ));
        }
        told.push_str(&features("Registered runtimes would be refused", &answer.refused));
        told.push_str(&features("Answered otherwise than today", &answer.otherwise));
        if answer.refused.is_empty() {
            let what = "that a license names for them would be refused to";
            told.push_str(&nothing(what, answer.runtimes));
        }
        told
    }
}

fn clocks(then: &ClockAnswer) -> String {
    if then.wall == then.now && then.mark == then.now {
        return String::new();
    }
    text::facts(&[
        ("system clock", then.wall.to_string()),
        ("agent's own time", then.mark.to_string()),
        ("signed floor", then.floor.to_string()),
    ])
}

fn line_outlook(line: &LineOutlookAnswer, now: Timestamp) -> String {
    let head = match line.serial {
        Some(serial) => format!(
            "serial {serial}, {}, answers {}",
            phase(line.phase.as_deref().unwrap_or_default()),
            verdict(&line.verdict)
        ),
        None => format!("nothing in force: {}", verdict(&line.verdict)),
    };
    let mut told =
        format!("\n{} (organization {}): {head}\n", text::plain(&line.product), line.tenant_id);
    if let Some(ends) = line.ends {
        told.push_str(&format!("  signed end: {}\n", text::moment(ends, now)));
    }
    if let (Some(serial), Some(at)) = (line.next_serial, line.next_at) {
        told.push_str(&format!("  next: serial {serial} from {}\n", text::moment(at, now)));
    }
    let rows: Vec<_> = line.entitlements.iter().map(entitlement).collect();
    if !rows.is_empty() {
        let table = text::table(&["FEATURE", "FOR", "LIMIT", "PHASE", "ANSWER"], rows);
        told.extend(table.lines().map(|row| format!("  {row}\n")));
    }
    told
}

fn entitlement(one: &EntitlementOutlookAnswer) -> Vec<String> {
    let mut answer = verdict(&one.verdict);
    if let Some(released) = one.released.filter(|released| *released != one.verdict) {
        answer.push_str(&format!(" ({} to early releases)", verdict(&released)));
    }
    vec![
        text::plain(&one.feature),
        scope(&one.scope),
        limits(&one.limits),
        phase(&one.phase),
        answer,
    ]
}

fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let neither =
        || "neither a date like 2027-01-31 nor a time like 2027-01-31T12:00:00Z".to_owned();
    let day: Date = text.parse().map_err(|_| neither())?;
    let start = day.civil().to_zoned(TimeZone::UTC).map_err(|_| neither())?;
    Ok(start.timestamp().into())
}

fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "not a length of time like 2d, 36h or 90min".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    // A day of the clock is 24 hours; months and years have no length of their own.
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    u64::try_from(length.as_secs()).ok().filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

/// What a name may be made of, so that it needs no escapes on its way.
fn component(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':');
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err("not a name of a component, like eth0 or machine_id".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_start_and_a_length_is_one_of_the_clock() {
        assert_eq!(instant("2027-01-31").unwrap(), instant("2027-01-31T00:00:00Z").unwrap());
        assert!(instant("31.1.2027").is_err());
        assert_eq!(seconds("2d"), Ok(172_800));
        assert_eq!(seconds("1d 12h"), seconds("36h"));
        for wrong in ["", "2", "1mo", "-2d", "0s", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
