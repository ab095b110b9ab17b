//! Issue: from a template to a signed license.

use farhold_bundle::{
    Envelope, Signer, TrustRoot, Verified, add_signature,
    payload::{Binding, License, Role, SiteMode},
    seal,
};
use farhold_contract::{Code, model::TenantStatus};

use crate::{refusal::Refusal, template::Template};

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
    let ends = root.root().expires;
    if ends <= license.issued_at {
        let what =
            format!("root {} ended at {ends}; no site would take the license", root.version());
        return Err(Refusal::new(Code::TrustRootExpired, what)
            .with_next("Make the next root first, then issue under it."));
    }
    for signer in signers {
        require_role(root, *signer, Role::License)?;
    }
    let [first, others @ ..] = signers else {
        return Err(Refusal::usage("no key was given", "Give --key with a license key."));
    };
    let mut line = seal(license, *first)?;
    for signer in others {
        line = add_signature(&line, *signer)?;
    }
    Ok(root.verify(Envelope::open(&line)?)?)
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
    if license.end().is_some_and(|end| end <= license.issued_at) {
        return Err(template.refuse_member("expires_on", "has passed: it would be issued ended"));
    }
    if license.entitlements.is_empty() && license.flags.is_empty() {
        return Err(template.refuse_member("entitlements", "are empty: it would grant nothing"));
    }
    if license.needs.root.as_u64() > root.version() {
        let why = format!("is above this root's version {}: no site could take it", root.version());
        return Err(template.refuse_member("needs.root", &why));
    }
    Ok(())
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
