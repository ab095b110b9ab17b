//! Conditions: the closed list of what can be wrong with a site, for `/statusz` and `status`.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How soon someone must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// It will hurt if nobody acts.
    Warning,
    /// It hurts now.
    Error,
}

/// One condition as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Which one.
    pub code: ConditionCode,
    /// How soon someone must act.
    pub severity: Severity,
    /// Since when it stands.
    pub since: Timestamp,
    /// What it means for the products on the site.
    pub impact: String,
    /// What to do, with this site's own figures where they help.
    pub hint: String,
}

macro_rules! conditions {
    ($($name:ident = $text:literal, $severity:ident, $impact:literal, $hint:literal;)*) => {
        /// A condition of the closed list (`specs/codes.md`, "Conditions").
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)] // each one's sentence is its `impact`
        pub enum ConditionCode { $($name,)* }

        impl ConditionCode {
            /// Every condition, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The condition's name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How soon someone must act.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, in one sentence.
            pub const fn impact(self) -> &'static str {
                match self { $(Self::$name => $impact,)* }
            }

            /// One next action.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

conditions! {
    NotEnrolled = "not_enrolled", Info, "The agent has no tenant yet and answers every check with mode none.", "Set mode and tenant_id in agent.toml, or enroll at a Kernel.";
    KernelUnreachable = "kernel_unreachable", Warning, "The Kernel does not answer; products are served from the last verified bundle.", "Check the network path and the proxy to the Kernel.";
    AuthRejected = "auth_rejected", Error, "The Kernel refuses this agent; products are served from the last verified bundle.", "Ask the vendor whether this agent was revoked; enroll again if it was not.";
    CertificateExpiring = "certificate_expiring", Warning, "The agent's certificate is near its end and has not been renewed.", "Check that the Kernel is reachable; renewal is automatic.";
    CertificateExpired = "certificate_expired", Error, "The agent's certificate has ended; products are served from the last verified bundle.", "Check the Kernel and the clock; the device key renews it without a new enrollment.";
    BundleMissing = "bundle_missing", Error, "No license is stored; every check is denied with mode none.", "Import a bundle: farhold import FILE.";
    BundleRejected = "bundle_rejected", Warning, "A bundle offered was refused; what was in force before stays in force.", "Read the reason in farhold status and ask the vendor for a corrected bundle.";
    TrustMissing = "trust_missing", Error, "No trust root is installed; no bundle can be imported.", "Install the vendor's root: farhold trust install FILE --sha256 HEX.";
    TrustRootExpiring = "trust_root_expiring", Warning, "The trust root is near its end; what is in force stays, new documents will be refused.", "Ask the vendor for a bundle with a newer root.";
    LicenseExpiring = "license_expiring", Warning, "A license is near its signed end.", "Ask the vendor for the renewal and import it; it may be imported early.";
    LicenseGrace = "license_grace", Warning, "A license is past its signed end, inside its grace: everything still works.", "Import the renewal before the grace ends.";
    LicenseRestricted = "license_restricted", Error, "A license is past its grace: what is registered keeps working, quotas don't renew, nothing new begins.", "Import the renewal before the restricted time ends.";
    LicenseExpired = "license_expired", Error, "A license has ended with its whole ladder; its features are denied.", "Import the renewal; importing works in any state.";
    LicenseRevoked = "license_revoked", Error, "The vendor revoked a license by a signed document; its features are denied.", "Ask the vendor; import the replacement.";
    ClockRollback = "clock_rollback", Warning, "The system clock is more than 24 hours behind what the agent has seen; nothing is denied because of it.", "Correct the clock if it is wrong; if it is right now and was ahead before, ask the vendor for a clock reset: farhold request.";
    ClockSkew = "clock_skew", Warning, "The system clock differs from the agent's own time, from a signed date or from the Kernel's time.", "Correct the system clock if it is wrong, and check its synchronization.";
    FingerprintDrift = "fingerprint_drift", Warning, "Hardware that a license is bound to has changed; once more of it has than the license bears, its checks are denied.", "Ask the vendor for a rehost before more changes.";
    FingerprintUnread = "fingerprint_unread", Warning, "A license bound to this machine's components holds by what was read of them before; too few of them can be read now. Nothing is denied because of it.", "Let the agent read the components: farhold fingerprint explain. On another machine than the license's, ask the vendor for a rehost.";
    QueueHigh = "queue_high", Warning, "The audit queue is above 70 % of its cap.", "Export the audit and import the receipt, or raise the cap.";
    QueueFull = "queue_full", Error, "The audit queue is full: runtimes' events are refused; checks are still answered.", "Export the audit and import the receipt, or raise the cap.";
    DiskLow = "disk_low", Error, "The state directory's filesystem is nearly full.", "Free space; the agent keeps a reserve for license state and counters.";
    StoreRecovered = "store_recovered", Warning, "The database was damaged and rebuilt; the damaged file was kept.", "Keep the file named in the log; check the disk.";
    ProxyIntercepts = "proxy_intercepts", Error, "A proxy opens the TLS connection to the Kernel; the agent refuses it.", "Exempt the Kernel's address from TLS inspection.";
    ConfigRejected = "config_rejected", Warning, "The changed configuration is wrong; the one before it stays in use.", "Run farhold config check.";
    RuntimeSuspended = "runtime_suspended", Warning, "A runtime is suspended; its checks are denied.", "Ask the vendor.";
}
