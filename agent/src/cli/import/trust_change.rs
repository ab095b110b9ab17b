//! What a new trust root changes, for people: keys by their names, and how many must sign.

use farhold_bundle::Role;
use farhold_terminal::text;

use crate::admin::answer::changes::{KeyChange, TrustChangeAnswer};

/// From the root that stood to the one after it.
pub(super) fn described(trust: &TrustChangeAnswer) -> String {
    let (before, after) = (trust.before, trust.after);
    let mut told = format!(
        "\nTrust root: version {} -> {}, holds until {} -> {}\n",
        before.version, after.version, before.expires, after.expires
    );
    for key in &trust.keys {
        let what = match key.change {
            KeyChange::Added => "added",
            KeyChange::Moved => "has another role",
            KeyChange::Removed => "removed (what it signed stays)",
            KeyChange::Revoked => "REVOKED (what it signed falls)",
        };
        let name = key.name.as_deref().map_or_else(|| "without a name".to_owned(), text::plain);
        let role = key.role.map_or("no role any more", role_name);
        told.push_str(&format!("  key {what}: {name}, {role}, {}\n", key.key_id));
    }
    for threshold in &trust.thresholds {
        told.push_str(&format!(
            "  {} keys that must sign: {} -> {}\n",
            role_name(threshold.role),
            threshold.before,
            threshold.after
        ));
    }
    for pin in &trust.kernel_ca_added {
        told.push_str(&format!("  Kernel's CA added: {pin}\n"));
    }
    for pin in &trust.kernel_ca_removed {
        told.push_str(&format!("  Kernel's CA removed: {pin}\n"));
    }
    told
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Root => "root",
        Role::License => "license",
        Role::Revocation => "revocation",
        Role::Kernel => "kernel",
        Role::Device => "device",
    }
}
