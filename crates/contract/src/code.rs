//! Codes: the closed list of why something is refused (`specs/codes.md`).
//!
//! Every refusal, over HTTP or on a command line, carries one of these, and nothing else does.
//! Each has an HTTP status, an exit code, one sentence, and one next action.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::exit::Exit;

/// The text is not a code of the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code of this version; `license explain` lists them")]
pub struct UnknownCode;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:literal, $exit:ident, $sentence:literal, $action:literal;)*) => {
        /// A code of the closed list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs)] // each one's documentation is its `sentence`
        pub enum Code { $(#[serde(rename = $text)] $name,)* }

        impl Code {
            /// Every code, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status it is answered with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// How a verb that meets it ends.
            pub const fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)* }
            }

            /// What it means, in one sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            /// One next action.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }
        }
    };
}

codes! {
    // The call.
    ContractVersionMissing = "contract.version_missing", 400, Usage, "The call names no contract version.", "Send X-Contract-Version: v0.1 or v0.2.";
    ContractUnsupportedVersion = "contract.unsupported_version", 400, Usage, "The contract version asked for is not spoken here.", "Send X-Contract-Version: v0.1 or v0.2.";
    CorrelationMissing = "correlation.missing", 400, Usage, "The call has no correlation id, or one that can't be kept.", "Send X-Correlation-Id, 1 to 128 visible ASCII characters.";
    RequestMalformed = "request.malformed", 400, BadData, "The body or a parameter is not what the contract says.", "Compare the request with the OpenAPI document of this contract version.";
    RequestTooLarge = "request.too_large", 413, BadData, "The body is larger than this call takes.", "Send less in one call.";
    RequestTimeout = "request.timeout", 408, TryAgain, "The request did not arrive in time.", "Send it again, without pauses.";
    RequestNotFound = "request.not_found", 404, Usage, "There is no such call.", "Compare the path with the OpenAPI document.";
    RequestMethod = "request.method_not_allowed", 405, Usage, "The call exists, but not with this method.", "Compare the method with the OpenAPI document.";
    RequestMediaType = "request.media_type", 415, Usage, "The body is not declared as JSON.", "Send Content-Type: application/json.";
    ServerOverloaded = "server.overloaded", 503, TryAgain, "More is asked than can be answered now.", "Wait as Retry-After says and repeat.";
    ServerInternal = "server.internal", 500, Internal, "A defect of ours.", "Report it with the correlation id and the version.";
    // Who is calling.
    AuthMissing = "auth.missing", 401, Usage, "The call carries no runtime token.", "Send Authorization: Bearer with the runtime's token.";
    AuthInvalid = "auth.invalid", 401, Refused, "The runtime token is unknown or revoked.", "Create one at the site: farhold token create.";
    TenantMissing = "tenant.missing", 400, Usage, "The call names no tenant, or no valid one.", "Send X-Tenant-Id with the tenant's UUIDv7.";
    TenantMismatch = "tenant.mismatch", 403, Refused, "The tenant named is not the one this caller, site or document belongs to.", "Use the credentials, or the license, of that tenant.";
    RuntimeMissing = "runtime.missing", 400, Usage, "The call names no runtime, or no valid one.", "Send X-Runtime-Id with the id registration returned.";
    RuntimeMismatch = "runtime.mismatch", 403, Refused, "The runtime named is not the one the token belongs to.", "Use the runtime's own token and id.";
    RuntimeNotRegistered = "runtime.not_registered", 409, Refused, "The runtime's token has not registered yet.", "Register first: POST /kernel/runtimes/register.";
    RuntimeNotLicensed = "runtime.not_licensed", 403, Refused, "No license in force has an entitlement for this type of runtime.", "Import a license that covers it.";
    RuntimeRestricted = "runtime.restricted", 403, Refused, "The license is past its grace: no new runtime may register.", "Import the renewal.";
    RuntimeSuspended = "runtime.suspended", 403, Refused, "The Kernel suspended this runtime.", "Ask the vendor.";
    RuntimeTooMany = "runtime.too_many", 409, Refused, "As many runtimes are registered through this agent as one may bring.", "Let runtimes register with the token they have: one token stays one runtime.";
    RuntimeIdTaken = "runtime.id_taken", 409, Refused, "The runtime id belongs to another runtime.", "Register without an id, or with the one given before.";
    IdentityUnavailableOffline = "identity.unavailable_offline", 503, Unavailable, "Identities can't be resolved at this site now.", "Repeat when the site is linked to a Kernel.";
    IdentityTokenInvalid = "identity.token_invalid", 401, Refused, "The provider's token does not hold: signature, time, issuer or audience.", "Sign in again at the identity provider.";
    IdentityProviderUnknown = "identity.provider_unknown", 403, Refused, "The token's issuer is none of this tenant's identity providers.", "Have the administrator enter the provider for this tenant.";
    // The link.
    CertificateMissing = "certificate.missing", 401, Refused, "This call needs the agent's client certificate.", "Enroll, or renew the certificate.";
    CertificateUnknown = "certificate.unknown", 403, Refused, "The certificate is not of an agent this Kernel knows as it is now.", "Renew it, or enroll anew with a new token.";
    AgentSuspended = "agent.suspended", 403, Refused, "The Kernel suspended this agent.", "Ask the vendor.";
    EnrollTokenInvalid = "enroll.token_invalid", 401, Refused, "The enrollment token is unknown, revoked or past its 24 hours.", "Ask the vendor for a new one.";
    EnrollTokenUsed = "enroll.token_used", 409, Refused, "The enrollment token was used by another device key.", "Ask the vendor for a new one; tell them if it was not your machine.";
    EnrollAlready = "enroll.already_enrolled", 409, Refused, "This agent is enrolled already.", "Nothing; to change the Kernel, stop it and enroll with --anew.";
    KernelUnreachable = "kernel.unreachable", 503, Unavailable, "The Kernel does not answer.", "Check name, address, proxy and firewall; farhold check tells which.";
    KernelUntrusted = "kernel.untrusted", 502, NotVerified, "Whoever answered is not the Kernel: its certificate does not lead to the pinned CA.", "Let this connection pass uninspected, or check the token with the vendor.";
    KernelAnswer = "kernel.answer_malformed", 502, Unavailable, "The Kernel's answer is not what the contract says.", "Check for a proxy or portal that answers in its place.";
    // The decision.
    LicenseMissing = "license.missing", 403, Refused, "No license is stored for this tenant.", "Import one: farhold import FILE.";
    LicenseNotBegun = "license.not_begun", 403, Refused, "The license has not begun.", "Wait for its beginning, or check the clock.";
    LicenseExpired = "license.expired", 403, Refused, "The license has ended.", "Import the renewal.";
    LicenseRevoked = "license.revoked", 403, Refused, "The vendor revoked the license by a signed document.", "Ask the vendor; import the replacement.";
    LicenseVersion = "license.version_not_covered", 403, Refused, "The license does not cover this version of the product.", "Use a covered version, or ask for a license that covers this one.";
    LicenseReleased = "license.released", 403, Refused, "The license was given up at this machine, for another one.", "Ask the vendor for a license of this machine's own.";
    FeatureNotGranted = "feature.not_granted", 403, Refused, "No license in force grants this feature to this runtime.", "Check the feature's name; ask the vendor to add it.";
    FeatureDenied = "feature.denied", 403, Refused, "The Kernel denies this feature for now.", "Ask the vendor.";
    EntitlementExpired = "entitlement.expired", 403, Refused, "The entitlement ended before its license.", "Ask the vendor to renew it.";
    QuotaExhausted = "quota.exhausted", 403, Refused, "The quota does not hold what was asked for.", "Wait for the window to turn, or ask for a larger quota.";
    IdempotencyKeyInvalid = "idempotency.key_invalid", 400, Usage, "The idempotency key can't be used.", "Send 1 to 64 visible ASCII characters, on consuming checks only.";
    IdempotencyConflict = "idempotency.conflict", 422, Refused, "The idempotency key was used with another body.", "Use a new key for a new request.";
    IdempotencyTooMany = "idempotency.too_many", 429, TryAgain, "The runtime has too many idempotency keys within the hour.", "Slow down, or leave the key out where a retry does no harm.";
    // The audit.
    EventRefused = "event.refused", 422, BadData, "The event is not one this caller may write.", "Compare it with the AsyncAPI document; agent.*, kernel.* and actor system are not for runtimes.";
    EventConflict = "event.conflict", 409, Refused, "Another event with this id is kept already.", "Give each event its own id; a retry repeats the same bytes.";
    AuditFlood = "audit.flood", 429, TryAgain, "The caller has its whole share of the queue.", "Slow down; export the audit and import the receipt.";
    AuditFull = "audit.full", 507, TryAgain, "The audit queue is full.", "Export the audit and import the receipt, or raise the cap.";
    AuditGap = "audit.gap", 409, BadData, "Records are missing before these.", "Send, or verify, the earlier ones first.";
    ChainBroken = "chain.broken", 422, NotVerified, "A record, or the order of records, was changed.", "Keep the file as evidence; compare with the site's own export.";
    ReceiptForeign = "receipt.foreign", 422, Refused, "The receipt is for another agent or another epoch.", "Import it at the site whose export it answers.";
    ReceiptBranch = "receipt.branch", 422, Refused, "The receipt is for another history than this agent's.", "Tell the vendor: this site's state was restored or copied.";
    ExportEmpty = "export.empty", 409, Refused, "There is nothing to export.", "Nothing: every record has been receipted, or none exists.";
    // The store.
    StoreUnavailable = "store.unavailable", 503, Unavailable, "What was asked could not be made durable.", "Repeat; if it stays, read farhold status and check the disk.";
    StateLocked = "state.locked", 409, TryAgain, "Another process has the state directory.", "Use the running agent, or stop it first.";
    StateNewerSchema = "state.newer_schema", 500, Configuration, "The database was written by a newer version.", "Install that version again, or restore the backup it made.";
    StateUnusable = "state.unusable", 500, Configuration, "The state directory can't be used.", "Check that it exists, belongs to the agent's user, and is writable.";
    // Bytes.
    EnvelopeMalformed = "envelope.malformed", 422, BadData, "The line is not an envelope of the strict profile.", "Carry the file unchanged: no re-wrapping, no editor, no CRLF.";
    EnvelopeTooLarge = "envelope.too_large", 413, BadData, "The line is longer than an envelope may be.", "Check that it is the right file.";
    BundleMalformed = "bundle.malformed", 422, BadData, "The file is not a bundle: one envelope a line.", "Carry the file unchanged; cat documents to make a bundle.";
    BundleTooLarge = "bundle.too_large", 413, BadData, "The bundle has more bytes, lines or root steps than one import takes.", "Split it: roots first, then the rest.";
    TypedFormMalformed = "typed_form.malformed", 422, BadData, "The pasted text is not a whole document in typed form.", "Copy it again, from FH1: to the end.";
    PayloadType = "payload.type_unknown", 422, BadData, "The document is of a type or version this build does not know.", "Update, or check that it is the right file.";
    PayloadMalformed = "payload.malformed", 422, BadData, "The document's content is not what its type says.", "Ask its issuer for a corrected one.";
    PayloadCritical = "payload.critical_unknown", 422, Refused, "The document needs something this version does not know.", "Update to the version named, then import again.";
    // Signatures and trust.
    SignatureInvalid = "signature.invalid", 422, NotVerified, "A signature does not hold: the document was changed or not signed by that key.", "Get the file again from its issuer.";
    SignatureKeyUnknown = "signature.key_unknown", 422, NotVerified, "A signature is by a key this site's trust root does not list.", "Import the newer root first, or check the issuer.";
    SignatureKeyRevoked = "signature.key_revoked", 422, NotVerified, "A signature is by a revoked key.", "Ask the issuer for a document signed by a current key.";
    SignatureWrongRole = "signature.wrong_role", 422, NotVerified, "A signature is by a key that may not sign this type of document.", "Ask the issuer for a document signed by the right key.";
    SignatureThreshold = "signature.threshold", 422, NotVerified, "Fewer keys signed than the trust root requires.", "Collect the missing signatures.";
    KeyWeak = "key.weak", 422, NotVerified, "A public key is of small order: anyone could sign for it.", "Make a new key with license-tool keygen.";
    TrustMissing = "trust.missing", 409, NotVerified, "No trust root is installed; the first one never comes out of a bundle.", "Run farhold trust install FILE --sha256 HEX.";
    TrustConflict = "trust.conflict", 409, NotVerified, "Another trust root is installed.", "Rotate by a bundle; a first root is installed once.";
    TrustHash = "trust.hash_mismatch", 422, NotVerified, "The root's payload is not the one the hash names.", "Compare the hash with the vendor over another channel.";
    TrustSkipped = "trust.root_skipped", 422, NotVerified, "The root does not follow the one in force by exactly one.", "Import the roots in between as well.";
    TrustRootExpired = "trust.root_expired", 422, NotVerified, "The trust root has ended: no new word is taken under it.", "Ask the vendor for a bundle with a newer root.";
    TrustIssuer = "trust.issuer_mismatch", 422, NotVerified, "The document's issuer is not the trust root's.", "Check that the file is from the vendor whose root is installed.";
    RootInvalid = "root.invalid", 422, BadData, "The root contradicts itself or the one before it.", "Ask its issuer for a corrected one.";
    // Import.
    BundleSuperseded = "bundle.superseded", 409, Refused, "The bundle brings nothing new: every line is known or superseded.", "Nothing, or ask for the newest bundle.";
    BundleConflict = "bundle.conflict", 409, Refused, "The same number was given to another document before.", "Tell the vendor: two documents carry one number.";
    BundleIncomplete = "bundle.incomplete", 409, Refused, "The license needs a root or revocations this site would not have.", "Import the whole bundle, with nothing left out.";
    BundleUnexpected = "bundle.unexpected", 409, Refused, "The bundle is not the one that was expected.", "Compare its SHA-256 with what import --dry-run printed.";
    LicenseMode = "license.mode_mismatch", 409, Refused, "The license is not for this mode of operation.", "Ask for a license whose modes contain this site's.";
    LicenseBinding = "license.binding_mismatch", 409, Refused, "The license is bound to another device key, or to another machine's components.", "Ask for a rehost with this machine's request: farhold request here, license-tool answer at the vendor.";
    LicenseFeatureConflict = "license.feature_conflict", 409, Refused, "Two products grant one feature to one type of runtime.", "Ask the vendor to name features apart.";
    ClockResetForeign = "clock_reset.foreign", 409, Refused, "The clock reset answers no open request of this agent.", "Make a new request and ask for a reset that answers it.";
    // The vendor's desk.
    BundleStrands = "bundle.strands", 409, Refused, "The bundle would take a license of the ledger out of force.", "Issue it again under a current key, or repeat with --allow-loss.";
    LedgerBroken = "ledger.broken", 422, NotVerified, "The ledger was changed: an entry does not follow the one before it.", "Keep the file as evidence and restore the ledger from a copy.";
    LedgerConflict = "ledger.conflict", 409, Refused, "The ledger already has this serial, or a higher one, of the license.", "Take the next serial: license-tool ledger list shows it.";
    LedgerLocked = "ledger.locked", 409, TryAgain, "Another process is writing to the ledger.", "Wait until it is done, then repeat.";
    LedgerBudget = "ledger.rehosts_used_up", 409, Refused, "The license was moved as often as its template allows within a year.", "Talk to the customer, or raise rehosts_per_year in the template.";
    LintFound = "lint.found", 422, Refused, "Something is there that is probably not meant.", "Follow each finding, or issue it all the same.";
    // Command lines.
    UsageInvalid = "usage.invalid", 400, Usage, "The command line or an input asks for something that makes no sense.", "Read the verb's --help.";
    InputUnreadable = "input.unreadable", 400, BadData, "An input can't be read.", "Check the path and the rights.";
    OutputExists = "output.exists", 409, CannotWrite, "The output exists already and is not overwritten.", "Choose another path, or move the file away yourself.";
    OutputUnwritable = "output.unwritable", 500, CannotWrite, "The output can't be written.", "Check the folder, the rights and the space.";
    OutputIsKey = "output.is_key", 409, CannotWrite, "The output names a private key.", "Choose another path.";
    KeyUnreadable = "key.unreadable", 422, BadData, "The file is not a private key this tool can read.", "Give an Ed25519 key in PKCS#8, as keygen writes it.";
    KeyPassphrase = "key.passphrase", 403, Refused, "The passphrase does not open the key.", "Try again; nothing else opens it.";
    KeyModule = "key.module_unusable", 503, Unavailable, "The PKCS#11 module, its token or its key can't be used.", "Check the module's path, the token's label and the PIN.";
    TemplateInvalid = "template.invalid", 422, BadData, "The license template is wrong.", "Correct the line named.";
    ConfigInvalid = "config.invalid", 422, Configuration, "The configuration is wrong.", "Correct the line named; farhold config check verifies it.";
    AgentUnreachable = "agent.unreachable", 503, Unavailable, "The agent does not answer.", "Start it, or check the socket's path and rights.";
    CheckFailed = "check.failed", 500, Refused, "At least one doctor check failed.", "Follow the next step of each failed check.";
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_dotted_lower_case_and_named_once() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            let (area, condition) = code.as_str().split_once('.').expect("a dot");
            for word in [area, condition] {
                assert!(
                    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                );
            }
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!((400..600).contains(&code.status()));
            assert!(code.sentence().ends_with('.') && code.action().ends_with('.'));
        }
    }
}
