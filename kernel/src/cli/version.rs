//! `farhold-kernel version`.

use serde_json::json;

use farhold_contract::version::ContractVersion;

use super::{session::Session, stdout};

#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        let contract = ContractVersion::ALL.map(ContractVersion::as_str);
        if session.json() {
            return stdout::json(&json!({ "version": version, "contract_versions": contract }));
        }
        let spoken = contract.join(" and ");
        stdout::write(format!("farhold-kernel {version}, contract {spoken}\n").as_bytes())
    }
}
