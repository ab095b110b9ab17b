//! `farhold-kernel agent show ID`.

use farhold_contract::{
    call::heartbeat::{HeartbeatReport, ReportedFingerprint},
    id::RuntimeId,
};
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::AgentAnswer,
    cli::{client::Ask, session::Session, standing},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The agent
    id: RuntimeId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(format!("/kernel/admin/agents/{}", self.id));
        let agent: AgentAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&agent);
        }
        stdout::write(described(&agent).as_bytes())
    }
}

fn described(agent: &AgentAnswer) -> String {
    let tenants: Vec<String> = agent.tenants.iter().map(ToString::to_string).collect();
    let mut facts = vec![
        ("organizations", tenants.join(", ")),
        ("device key", text::plain(&agent.device_key)),
        ("version", text::plain(&agent.agent_version)),
        ("standing", standing::words(&agent.standing)),
        ("enrolled", agent.enrolled_at.to_string()),
        ("certificate ends", text::or_dash(agent.certificate_ends)),
        ("heard", text::or_dash(agent.heard_at)),
    ];
    facts.extend(agent.report.iter().flat_map(reported));
    format!("Agent {}\n{}", agent.runtime_id, text::facts(&facts))
}

fn reported(report: &HeartbeatReport) -> Vec<(&'static str, String)> {
    let root = report.root.as_ref();
    let licenses: Vec<String> = report
        .licenses
        .iter()
        .map(|license| format!("{} serial {}", license.license_id, license.serial))
        .collect();
    vec![
        ("its root", root.map_or("none".to_owned(), |root| format!("version {}", root.version))),
        ("its revocations", report.revocations.to_string()),
        ("its licenses", if licenses.is_empty() { "none".to_owned() } else { licenses.join(", ") }),
        ("its chain", format!("record {} of epoch {}", report.seq, text::plain(&report.epoch))),
        ("its clock", format!("{}, its own time {}", report.wall, report.mark)),
        ("its machine", report.fingerprint.as_ref().map_or_else(|| "not told".to_owned(), machine)),
    ]
}

/// How much of a machine was read, and what only stands in for it: a copy of a site's state on
/// another machine remembers what it can't read there.
fn machine(told: &ReportedFingerprint) -> String {
    let read = told.components.len() - told.remembered.len().min(told.components.len());
    let read = format!("{} read", text::count(read as u64, "component"));
    if told.remembered.is_empty() {
        return read;
    }
    let each = told.remembered.iter();
    let each: Vec<String> =
        each.map(|(name, since)| format!("{} since {since}", text::plain(name))).collect();
    format!("{read}, {} REMEMBERED and not read: {}", each.len(), each.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_machine_says_what_was_read_and_what_is_only_remembered() {
        let component = |name: &str| (name.to_owned(), "00".repeat(8));
        let mut told = ReportedFingerprint {
            salt: "5a".repeat(16),
            components: BTreeMap::from(["disk.root", "machine_id", "nic.eth0"].map(component)),
            remembered: BTreeMap::new(),
        };
        assert_eq!(machine(&told), "3 components read");
        for name in ["disk.root", "nic.eth0"] {
            told.remembered.insert(name.to_owned(), "2027-06-01T12:00:00Z".parse().unwrap());
        }
        assert_eq!(
            machine(&told),
            "1 component read, 2 REMEMBERED and not read: disk.root since 2027-06-01T12:00:00Z, \
             nic.eth0 since 2027-06-01T12:00:00Z"
        );
    }
}
