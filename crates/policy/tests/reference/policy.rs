//! Who is granted what, for licenses in zones without changes of the clocks and with ladders in
//! whole days and hours.

use farhold_bundle::{
    Period,
    payload::{Entitlement, Ladder, License, Revocations},
};
use farhold_contract::{
    Code, Date, Timestamp,
    id::{LicenseId, TenantId},
    mode::Mode,
};
use farhold_policy::{Link, RuntimeFacts};

const HOUR_MS: i64 = 3_600_000;

/// What should be answered, before usage is weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    No(Code),
    Yes { license_id: LicenseId, serial: u64, quota: Option<u64>, mode: Mode },
}

/// The answer, worked out from scratch. A license with a code is not admitted.
pub fn answer(
    licenses: &[(License, Option<Code>)],
    revoked: &Revocations,
    tenant_id: TenantId,
    runtime: &RuntimeFacts,
    feature: &str,
    t: Timestamp,
    link: Link,
) -> Answer {
    let own: Vec<_> = licenses.iter().filter(|(l, _)| l.tenant.tenant_id == tenant_id).collect();
    let mut products: Vec<_> = own.iter().map(|(l, _)| l.product.clone()).collect();
    products.sort();
    products.dedup();
    let mut noes = vec![(0, Code::LicenseMissing)];
    for product in products {
        let line: Vec<_> = own.iter().copied().filter(|(l, _)| l.product == product).collect();
        match answer_of_line(&line, revoked, runtime, feature, t, link) {
            Ok(yes) => return yes,
            Err(no) => noes.push(no),
        }
    }
    // Of equally telling reasons, the first product's.
    let most = noes.iter().map(|(rank, _)| *rank).max().unwrap();
    Answer::No(noes.iter().find(|(rank, _)| *rank == most).unwrap().1)
}

/// An answer, or how much its refusal tells.
fn answer_of_line(
    line: &[&(License, Option<Code>)],
    revoked: &Revocations,
    runtime: &RuntimeFacts,
    feature: &str,
    t: Timestamp,
    link: Link,
) -> Result<Answer, (u8, Code)> {
    let begun: Vec<_> = line.iter().copied().filter(|(l, _)| l.not_before <= t).collect();
    let standing = begun.iter().filter(|(l, bar)| !is_revoked(l, revoked) && bar.is_none());
    let Some((license, _)) = standing.max_by_key(|(l, _)| l.serial) else {
        let own_reason = |(license, bar): &(License, Option<Code>)| match bar {
            _ if is_revoked(license, revoked) => Code::LicenseRevoked,
            Some(code) => *code,
            None => Code::LicenseNotBegun,
        };
        let highest_barred = |of: &[&(License, Option<Code>)]| {
            let barred = of.iter().filter(|(l, bar)| bar.is_some() && !is_revoked(l, revoked));
            barred.max_by_key(|(l, _)| l.serial).and_then(|(_, bar)| *bar)
        };
        let reason = if let Some(code) = highest_barred(&begun) {
            code
        } else if !begun.is_empty() {
            Code::LicenseRevoked
        } else if line.iter().any(|held| own_reason(held) == Code::LicenseNotBegun) {
            Code::LicenseNotBegun
        } else {
            highest_barred(line).unwrap_or(Code::LicenseRevoked)
        };
        let mut meant = line.iter().filter(|held| own_reason(held) == reason);
        let rank = match reason {
            _ if !meant.any(|(l, _)| choose(l, runtime, feature).is_some()) => 1,
            Code::LicenseNotBegun => 3,
            Code::LicenseRevoked => 4,
            _ => 5,
        };
        return Err((rank, reason));
    };
    let Some(entitlement) = choose(license, runtime, feature) else {
        return Err((2, Code::FeatureNotGranted));
    };
    let released = license
        .released_before
        .is_some_and(|before| runtime.released_on.is_some_and(|on| on < before));
    let version_fits = license.versions.as_ref().is_none_or(|range| {
        semver::Version::parse(&runtime.version).is_ok_and(|version| range.matches(&version))
    });
    if !version_fits || (license.expires_on.is_none() && !released) {
        return Err((7, Code::LicenseVersion));
    }

    let license_over = |t: i64| !released && is_over(license, t);
    let over = |t: i64| match entitlement.valid_until {
        Some(until) => t >= until.as_ms(),
        None => license_over(t),
    };
    let ladder = entitlement.ladder.as_ref().unwrap_or(&license.ladder);
    let (grace, whole) = (grace_ms(ladder), grace_ms(ladder) + restrict_ms(ladder));
    let t = t.as_ms();
    let stop = license_over(t - grace_ms(&license.ladder) - restrict_ms(&license.ladder));
    if stop || over(t - whole) {
        let early = entitlement.valid_until.is_some() && !stop;
        return Err((6, if early { Code::EntitlementExpired } else { Code::LicenseExpired }));
    }
    let mode = if over(t - grace) {
        Mode::Restricted
    } else if over(t) {
        Mode::Grace
    } else if link == Link::Online {
        Mode::Online
    } else {
        Mode::Offline
    };
    Ok(Answer::Yes {
        license_id: license.license_id,
        serial: license.serial.as_u64(),
        quota: entitlement.limits.quota.map(|quota| quota.as_u64()),
        mode,
    })
}

fn is_revoked(license: &License, list: &Revocations) -> bool {
    let by_id = list.licenses.contains(&license.license_id);
    let by_serial = list.serials_below.iter().any(|below| {
        (below.tenant_id, &below.product) == (license.tenant.tenant_id, &license.product)
            && below.serial > license.serial
    });
    by_id || by_serial
}

fn choose<'l>(
    license: &'l License,
    runtime: &RuntimeFacts,
    feature: &str,
) -> Option<&'l Entitlement> {
    let of_feature = || license.entitlements.iter().filter(|e| e.feature == feature);
    of_feature()
        .find(|e| e.runtime_id == Some(runtime.runtime_id))
        .or_else(|| of_feature().find(|e| e.runtime_type == Some(runtime.runtime_type)))
        .or_else(|| of_feature().find(|e| e.runtime_id.is_none() && e.runtime_type.is_none()))
}

/// Whether the last day is over where the license lives.
fn is_over(license: &License, t: i64) -> bool {
    let hours = match license.time_zone.as_deref() {
        None => -12,
        Some("UTC") => 0,
        Some("Asia/Tokyo") => 9,
        Some("Etc/GMT+5") => -5,
        Some(other) => panic!("the model knows no {other}"),
    };
    let today = (t + hours * HOUR_MS).div_euclid(24 * HOUR_MS);
    let today = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(today);
    license.expires_on.is_some_and(|last| Date::from(today) > last)
}

fn grace_ms(ladder: &Ladder) -> i64 {
    ladder.grace.as_ref().map_or(0, plain_ms)
}

fn restrict_ms(ladder: &Ladder) -> i64 {
    ladder.restrict.as_ref().map_or(0, plain_ms)
}

/// `PnD` or `PTnH`.
fn plain_ms(period: &Period) -> i64 {
    let number = |text: &str| text.parse::<i64>().unwrap();
    let text = period.as_str();
    match text.strip_prefix("PT").and_then(|rest| rest.strip_suffix('H')) {
        Some(hours) => number(hours) * HOUR_MS,
        None => number(&text[1..text.len() - 1]) * 24 * HOUR_MS,
    }
}
