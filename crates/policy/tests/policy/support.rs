//! A vendor with test keys, and short ways to say what a claim is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
    time::Duration,
};

use ed25519_dalek::{Signer as _, SigningKey};

use farhold_bundle::{
    Envelope, Positive, PublicKey, Signer, Standing, TrustRoot, Unsigned, Verified,
    payload::{
        AuditRules, Binding, Entitlement, Issuer, Ladder, License, LicenseLimits, Needs, Payload,
        Revocations, RoleKeys, Roles, Root, RootKey, SerialsBelow, SiteMode, Telemetry,
    },
    plan_import, seal,
};
use farhold_contract::{
    Code, Date, Timestamp,
    id::{IssuerId, LicenseId, RuntimeId, TenantId},
    model::{Policies, RuntimeType, SecurityLevel, Tenant, TenantStatus, TenantType},
};
use farhold_policy::{
    ClockReading, Decision, Grant, Link, Now, PolicyState, Question, Refused, Resolution,
    Restraints, RuntimeFacts,
};

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);

/// Keys of every role, made from fixed bytes: the same in every run.
struct Key {
    public: PublicKey,
    signing: SigningKey,
}

impl Key {
    fn new(seed: u8) -> Self {
        let signing = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
        Self { public, signing }
    }
}

impl Signer for Key {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        Ok(self.signing.sign(message).to_bytes())
    }
}

const ROOT_KEY: u8 = 1;
const LICENSE_KEY: u8 = 2;
const REVOCATION_KEY: u8 = 3;
const KERNEL_KEY: u8 = 4;

static TRUST: LazyLock<TrustRoot> = LazyLock::new(|| {
    let role =
        |seed| RoleKeys { key_ids: vec![Key::new(seed).public.id()], threshold: Positive::MIN };
    let key = |seed| RootKey { public_key: Key::new(seed).public, name: None };
    let root = Root {
        issuer: Issuer { id: issuer(), name: "Vendor".to_owned() },
        version: Positive::MIN,
        issued_at: at("2026-01-01T00:00:00Z"),
        expires: at("2051-01-01T00:00:00Z"),
        keys: [ROOT_KEY, LICENSE_KEY, REVOCATION_KEY, KERNEL_KEY].map(key).into(),
        roles: Roles {
            root: role(ROOT_KEY),
            license: role(LICENSE_KEY),
            revocation: role(REVOCATION_KEY),
            kernel: role(KERNEL_KEY),
        },
        revoked_keys: BTreeSet::new(),
        kernel_ca: Vec::new(),
        critical: Vec::new(),
    };
    TrustRoot::install(&seal(&root, &Key::new(ROOT_KEY)).unwrap(), None).unwrap()
});

fn verified<T: Payload>(content: &T, seed: u8) -> Verified<T> {
    let line = seal(content, &Key::new(seed)).unwrap();
    TRUST.verify(Envelope::open(&line).unwrap()).unwrap()
}

/// A license, signed and verified.
pub fn signed(license: &License) -> Verified<License> {
    verified(license, LICENSE_KEY)
}

/// Revocations, signed and verified.
pub fn signed_revocations(list: &Revocations) -> Verified<Revocations> {
    verified(list, REVOCATION_KEY)
}

/// The state of a site that holds these licenses.
pub fn state(licenses: &[License]) -> PolicyState {
    state_with(licenses, None)
}

/// The state of a site that holds these licenses and revocations.
pub fn state_with(licenses: &[License], revocations: Option<&Revocations>) -> PolicyState {
    let licenses: Vec<_> = licenses.iter().map(signed).collect();
    PolicyState::new(&licenses, revocations.map(signed_revocations).as_ref())
}

/// The state of a site that holds these licenses and does not admit those with a code.
pub fn state_barring(
    licenses: &[(License, Option<Code>)],
    revocations: Option<&Revocations>,
) -> PolicyState {
    let signed: Vec<_> = licenses.iter().map(|(license, bar)| (signed(license), *bar)).collect();
    PolicyState::with_barred(
        signed.iter().filter(|(_, bar)| bar.is_none()).map(|(license, _)| license),
        signed.iter().filter_map(|(license, bar)| Some((license, (*bar)?))),
        revocations.map(signed_revocations).as_ref(),
    )
}

/// A site that has the vendor's root and nothing else.
pub fn bare_site() -> Standing {
    Standing::with_trust(TRUST.clone())
}

/// The same site after it has imported a license, signed like every other.
pub fn importing(site: &Standing, license: &License, now: Timestamp) -> Standing {
    let line = seal(license, &Key::new(LICENSE_KEY)).unwrap();
    plan_import(site, &[line.as_slice(), b"\n"].concat(), None, now).unwrap().standing
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn id_text(kind: u8, number: u64) -> String {
    format!("01939b6e-{kind:04x}-7000-8000-{number:012x}")
}

fn issuer() -> IssuerId {
    id_text(0, 1).parse().unwrap()
}

pub fn tenant(number: u64) -> TenantId {
    id_text(1, number).parse().unwrap()
}

pub fn runtime_id(number: u64) -> RuntimeId {
    id_text(2, number).parse().unwrap()
}

pub fn license_id(number: u64) -> LicenseId {
    id_text(3, number).parse().unwrap()
}

pub fn positive(number: u64) -> Positive {
    Positive::new(number).unwrap()
}

/// A license of tenant 1 for the product `campus`, for 2027 in UTC, without a ladder, that
/// grants `lab` without a quota.
pub fn license(serial: u64) -> License {
    License {
        license_id: license_id(1),
        serial: positive(serial),
        issuer: issuer(),
        product: "campus".to_owned(),
        issued_to: "Example School".to_owned(),
        tenant: organization(1),
        issued_at: at("2026-12-01T00:00:00Z"),
        not_before: at("2027-01-01T00:00:00Z"),
        expires_on: Some(day("2027-12-31")),
        time_zone: Some("UTC".to_owned()),
        modes: BTreeSet::from([SiteMode::Managed, SiteMode::Detached]),
        sites: Positive::MIN,
        needs: Needs::default(),
        versions: None,
        released_before: None,
        binding: Some(Binding::None),
        ladder: Ladder::default(),
        entitlements: vec![entitlement("lab")],
        flags: Vec::new(),
        identity: None,
        audit: AuditRules::default(),
        telemetry: Telemetry::None,
        metadata: None,
        critical: Vec::new(),
    }
}

pub fn organization(number: u64) -> Tenant {
    Tenant {
        tenant_id: tenant(number),
        kind: TenantType::Company,
        // The agent ignores it: only the Kernel suspends.
        status: TenantStatus::Suspended,
        policies: Policies { security_level: SecurityLevel::Standard, data_residency: None },
    }
}

pub fn entitlement(feature: &str) -> Entitlement {
    Entitlement {
        feature: feature.to_owned(),
        runtime_type: None,
        runtime_id: None,
        limits: LicenseLimits::default(),
        valid_until: None,
        ladder: None,
    }
}

/// An entitlement with a quota, by the window if one is named.
pub fn metered(feature: &str, quota: u64, window: Option<&str>) -> Entitlement {
    let limits = LicenseLimits {
        quota: Some(positive(quota)),
        time_window: window.map(|window| window.parse().unwrap()),
        ..LicenseLimits::default()
    };
    Entitlement { limits, ..entitlement(feature) }
}

/// The rungs after an end; an empty text is an absent one.
pub fn ladder(grace: &str, restrict: &str) -> Ladder {
    Ladder { warn: None, grace: grace.parse().ok(), restrict: restrict.parse().ok() }
}

pub fn revocations(licenses: &[LicenseId], below: &[(u64, &str, u64)]) -> Revocations {
    Revocations {
        issuer: issuer(),
        generation: Positive::MIN,
        issued_at: at("2026-12-01T00:00:00Z"),
        licenses: licenses.to_vec(),
        serials_below: below
            .iter()
            .map(|&(number, product, serial)| SerialsBelow {
                tenant_id: tenant(number),
                product: product.to_owned(),
                serial: positive(serial),
            })
            .collect(),
        critical: Vec::new(),
    }
}

/// Runtime 1: a laboratory, version 2.1.0, that states no release day.
pub fn runtime() -> RuntimeFacts {
    RuntimeFacts {
        runtime_id: runtime_id(1),
        runtime_type: RuntimeType::Labs,
        version: "2.1.0".to_owned(),
        released_on: None,
    }
}

/// A right clock at an instant.
pub fn now(text: &str) -> Now {
    now_at(at(text))
}

pub fn now_at(instant: Timestamp) -> Now {
    Now::exactly(instant)
}

pub fn reading(wall: Timestamp, boottime: Duration, boot: u8) -> ClockReading {
    let boottime_ms = u64::try_from(boottime.as_millis()).unwrap();
    ClockReading { wall, boottime_ms, boot_id: [boot; 16] }
}

/// Tenant 1's runtime asks for a feature at a detached site.
pub fn ask(state: &PolicyState, feature: &str, when: &str) -> Resolution {
    ask_as(state, &runtime(), feature, when)
}

pub fn ask_as(
    state: &PolicyState,
    runtime: &RuntimeFacts,
    feature: &str,
    when: &str,
) -> Resolution {
    let question = Question { tenant_id: tenant(1), runtime, feature, consume: None };
    state.resolve(&question, &Restraints::default(), &now(when), Link::Detached)
}

pub fn granted(resolution: Resolution) -> Grant {
    match resolution {
        Resolution::Granted(grant) => grant,
        Resolution::Refused(refused) => panic!("refused: {refused:?}"),
    }
}

pub fn refused(resolution: Resolution) -> Refused {
    match resolution {
        Resolution::Refused(refused) => refused,
        Resolution::Granted(grant) => panic!("granted: {grant:?}"),
    }
}

/// What is stored, by the text of its key: the owner of the counters in small.
#[derive(Default)]
pub struct Counters(BTreeMap<String, farhold_policy::Counter>);

impl Counters {
    /// Decides and counts in one step, as the agent does.
    pub fn decide(&mut self, grant: &Grant, consume: Option<u64>) -> Decision {
        let key = grant.counter.as_ref().map(|metered| metered.key.to_key_text());
        let stored = key.as_ref().and_then(|key| self.0.get(key)).copied();
        let (decision, changed) = grant.decide(stored, consume);
        if let (Some(key), Some(counter)) = (key, changed) {
            self.0.insert(key, counter);
        }
        decision
    }

    /// Whether `units` are given at an instant.
    pub fn take(&mut self, state: &PolicyState, feature: &str, when: &str, units: u64) -> bool {
        match ask(state, feature, when) {
            Resolution::Granted(grant) => self.decide(&grant, Some(units)).allowed,
            Resolution::Refused(_) => false,
        }
    }
}
