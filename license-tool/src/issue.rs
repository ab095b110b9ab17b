//! Issue: from a template to a signed license, or from a table to many.

pub mod many;
mod next;
mod signing;

use farhold_bundle::{
    Draft, Envelope, Signer, TrustRoot, Verified,
    payload::{Binding, License, Role, SiteMode},
};
use farhold_contract::{Code, Timestamp, model::TenantStatus};

use crate::{refusal::Refusal, template::Template};

pub use next::{Next, a_year_before, newest_stamp, next, require_budget, same_in_line, says};
pub use signing::{Signing, is_current, signing, stands};

/// Signs a license by keys of the root's license role; the line has no line feed.
///
/// What is returned has been verified under the root, as a site would.
///
/// # Errors
/// `trust.root_expired`, `signature.*` for a key that may not sign, `payload.*`.
pub fn issue(
    root: &TrustRoot,
    license: &License,
    signers: &[&dyn Signer],
) -> Result<Verified<License>, Refusal> {
    require_time(root, license.issued_at)?;
    for signer in signers {
        require_role(root, *signer, Role::License)?;
    }
    Ok(root.verify(Envelope::open(&Draft::of(license)?.seal(signers)?)?)?)
}

/// Refuses a root that has ended when a license would be issued under it.
///
/// # Errors
/// `trust.root_expired`.
pub fn require_time(root: &TrustRoot, issued_at: Timestamp) -> Result<(), Refusal> {
    let ends = root.root().expires;
    if ends > issued_at {
        return Ok(());
    }
    let what = format!("root {} ended at {ends}; no site would take the license", root.version());
    Err(Refusal::new(Code::TrustRootExpired, what)
        .with_next("Make the next root first, then issue under it."))
}

/// Refuses a key that does not have `role` in the root.
///
/// # Errors
/// `signature.key_unknown`, `signature.key_revoked`, `signature.wrong_role`.
pub fn require_role(root: &TrustRoot, signer: &dyn Signer, role: Role) -> Result<(), Refusal> {
    let key = signer.public_key().id();
    let refuse = |code, why: String| {
        Err(Refusal::new(code, format!("key {key} {why}"))
            .with_next(format!("Give a key that root {} lists as {role} key.", root.version())))
    };
    match root.role_of(key) {
        Some(actual) if actual == role => Ok(()),
        Some(actual) => {
            refuse(Code::SignatureWrongRole, format!("has the role {actual}, not {role}"))
        }
        None if root.root().revoked_keys.contains(&key) => {
            refuse(Code::SignatureKeyRevoked, "is revoked".to_owned())
        }
        None => refuse(
            Code::SignatureKeyUnknown,
            format!("is not in root {} of {}", root.version(), root.root().issuer.name),
        ),
    }
}

/// Refuses what is valid and can't be meant.
///
/// # Errors
/// `template.invalid` with line and key.
pub fn refuse_nonsense(
    template: &Template,
    license: &License,
    root: &TrustRoot,
) -> Result<(), Refusal> {
    nonsense(license, root)
        .map_or(Ok(()), |(member, why)| Err(template.refuse_member(member, &why)))
}

/// What is valid and can't be meant, with the member that says it.
pub fn nonsense(license: &License, root: &TrustRoot) -> Option<(&'static str, String)> {
    if license.end().is_some_and(|end| end <= license.issued_at) {
        return Some(("expires_on", "has passed: it would be issued ended".to_owned()));
    }
    if license.entitlements.is_empty() && license.flags.is_empty() {
        return Some(("entitlements", "are empty: it would grant nothing".to_owned()));
    }
    if license.needs.root.as_u64() > root.version() {
        let why = format!("is above this root's version {}: no site could take it", root.version());
        return Some(("needs.root", why));
    }
    None
}

/// What the vendor should know of a license that can be issued as it is.
pub fn warnings(license: &License) -> Vec<String> {
    let mut warnings = Vec::new();
    let detached = license.modes.contains(&SiteMode::Detached);
    if license.binding == Some(Binding::None) && detached {
        warnings.push(
            "binding \"none\": every copy of the file serves any machine of the tenant".to_owned(),
        );
    }
    if license.sites.as_u64() > 1 && matches!(license.binding, Some(Binding::DeviceKey(_))) {
        warnings.push(format!(
            "{} sites, but bound to one device key: only that machine can take it",
            license.sites
        ));
    }
    if license.end().is_some()
        && license.ladder.grace.is_none()
        && license.ladder.restrict.is_none()
    {
        warnings.push("no grace and no restrict: everything stops when it ends".to_owned());
    }
    if license.tenant.status == TenantStatus::Suspended {
        warnings.push("tenant.status is ignored: only the Kernel suspends".to_owned());
    }
    if license.entitlements.iter().any(|entitlement| entitlement.limits.concurrency.is_some()) {
        warnings.push("concurrency is carried, and not yet counted by this version".to_owned());
    }
    if license.identity.is_some() {
        warnings.push("identity is carried, and not yet read by this version".to_owned());
    }
    warnings
}
