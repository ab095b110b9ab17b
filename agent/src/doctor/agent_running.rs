//! `agent-running`: the agent answers at its administration socket.

use crate::{
    admin::client::{AdminDoor, Ask},
    config::Config,
};

use super::{Site, Verdict, site::ANSWER_TIME, told};

pub(super) const ID: &str = "agent-running";

pub(super) fn examine(site: &Site) -> Verdict {
    let config = match site.config() {
        Ok(config) => config,
        Err(error) => return Verdict::failed(error.to_string(), error.next_action()),
    };
    match is_alive(config) {
        Ok(()) => Verdict::ok(format!("the agent answers at {}", config.admin_socket().display())),
        Err(error) => Verdict::failed(
            told(&error),
            "Start it and read its log: systemctl start farhold, journalctl -u farhold. \
             Only root and the agent's user may open this socket.",
        ),
    }
}

/// Asks a running agent whether it turns: no disk, no network, at most two seconds.
///
/// # Errors
/// `agent.unreachable`, or what it says is wrong.
pub fn is_alive(config: &Config) -> anyhow::Result<()> {
    let door = AdminDoor::socket(config.admin_socket())?;
    door.call(Ask::get("/livez").patience(ANSWER_TIME)).map(|_| ())
}
