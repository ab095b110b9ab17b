//! What the verb `version` shows.

use serde_json::json;

use farhold_contract::version::ContractVersion;

use crate::stdout;

/// Shows the version of a program, and the versions of the contract that it speaks.
///
/// # Errors
/// As [`stdout::write`].
pub fn show(program: &str, version: &str, json: bool) -> anyhow::Result<()> {
    let contract = ContractVersion::ALL.map(ContractVersion::as_str);
    if json {
        return stdout::json(&json!({ "version": version, "contract_versions": contract }));
    }
    let spoken = contract.join(" and ");
    stdout::write(format!("{program} {version}, contract {spoken}\n").as_bytes())
}
