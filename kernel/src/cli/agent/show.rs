//! `farhold-kernel agent show ID`.

use farhold_contract::{call::heartbeat::HeartbeatReport, id::RuntimeId};
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
    ]
}
