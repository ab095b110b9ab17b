//! `farhold fingerprint`: each component and its hash, and which binding suits.

use std::collections::BTreeMap;

use farhold_terminal::{stdout, text};

use super::values::Values;
use crate::{
    admin::{answer::fingerprint::FingerprintAnswer, client::Ask},
    cli::session::Session,
};

pub(super) fn act(values: &Values, session: &Session) -> anyhow::Result<()> {
    let values = values.read(session)?;
    let answer: FingerprintAnswer = session.door()?.json(Ask::get("/admin/fingerprint"))?;
    if session.json() {
        return stdout::json(&answer);
    }
    let told = components(&answer, &values) + "\n" + &environment(&answer);
    stdout::write(told.as_bytes())
}

/// Every component with its state and since when it is so.
pub(super) fn components(answer: &FingerprintAnswer, values: &BTreeMap<String, String>) -> String {
    let mut heads = vec!["COMPONENT", "STATE", "HASH", "CHANGED"];
    let is_remembered = answer.components.iter().any(|component| component.unread_since.is_some());
    if is_remembered {
        heads.push("NOT READ SINCE");
    }
    if !values.is_empty() {
        heads.push("VALUE");
    }
    let rows = answer.components.iter().map(|component| {
        let moment = |at| text::moment(at, answer.looked_at);
        let mut row = vec![
            text::plain(&component.name),
            text::plain(&component.state),
            text::or_dash(component.hash.as_deref().map(text::plain)),
            text::or_dash(component.changed_at.map(moment)),
        ];
        if is_remembered {
            row.push(text::or_dash(component.unread_since.map(moment)));
        }
        if !values.is_empty() {
            row.push(text::or_dash(values.get(&component.name)));
        }
        row
    });
    let mut told = text::table(&heads, rows);
    if let Some(model) = &answer.cpu_model {
        told.push_str(&format!("The processor is shown and not counted: {}\n", text::plain(model)));
    }
    for component in &answer.components {
        if let Some(reason) = &component.reason {
            let name = text::plain(&component.name);
            told.push_str(&format!("{name}: {}\n", text::plain(reason)));
        }
    }
    if is_remembered {
        told.push_str(
            "What is not read counts as it was read last; requests and heartbeats say so.\n",
        );
    }
    told
}

/// What the machine seems to be, and what suits it.
pub(super) fn environment(answer: &FingerprintAnswer) -> String {
    let signs: Vec<String> =
        answer.environment.signs.iter().map(|sign| text::plain(sign)).collect();
    let by = if signs.is_empty() { String::new() } else { format!(": {}", signs.join("; ")) };
    format!(
        "This looks like {}{by}.\nRecommended binding: {}. {}\n\n{}",
        match answer.environment.kind.as_str() {
            "kubernetes" => "a pod of Kubernetes",
            "container" => "a container",
            "virtual_machine" => "a virtual machine",
            _ => "a machine of its own",
        },
        text::plain(&answer.recommended.binding).replace('_', " "),
        text::plain(&answer.recommended.why),
        answer
            .recommended
            .template
            .lines()
            .map(|line| format!("    {}\n", text::plain(line)))
            .collect::<String>(),
    )
}
