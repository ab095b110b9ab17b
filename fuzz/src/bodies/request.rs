//! Any bytes as a site's request, and the answer to it.

use std::sync::LazyLock;

use farhold_bundle::{
    Envelope, Positive, Signer, SiteFacts, Standing, Verified,
    payload::{DocumentType, License, Payload, Request, SiteMode},
    plan_import,
};
use farhold_contract::{Sha256Digest, Timestamp};
use license_tool::{
    answer::{bind, contract_for, issue_of, release_of, require_root, warnings},
    clock_reset::open_request,
    contents::{self, Fill},
    issue::issue,
    template::{BindTo, Mold, Stamp},
};

use farhold_ledger::{Act, Issue, Ledger};

use super::{
    DEVICE, ROOT, VENDOR,
    support::{license_id, now, raw_line},
};

/// As a file of whatever kind, and as the payload of a request that its own machine signed; that
/// one is answered, and the answer must be one that the machine takes.
pub fn request(bytes: &[u8]) {
    let fill = Fill {
        license_id: license_id(1).parse().expect("the constant is an id"),
        issuer: VENDOR.issuer.parse().expect("the constant is an id"),
        issued_at: now(),
    };
    drop(contents::read(bytes, fill));

    let opened = Envelope::open(bytes.strip_suffix(b"\n").unwrap_or(bytes));
    let payload = match &opened {
        Ok(envelope) => envelope.danger_unverified_payload(),
        Err(_) => bytes,
    };
    let line = raw_line(DocumentType::Request, payload, std::slice::from_ref(&*DEVICE));
    let Ok(envelope) = Envelope::open(&line) else { return };
    let Ok(request) = open_request(envelope, Some(DEVICE.public_key())) else { return };
    assert_eq!(request.device_key, *DEVICE.public_key(), "a request is its signer's");
    answer(&request);
}

fn answer(request: &Verified<Request>) {
    let license = &LEDGER.0;
    warnings(request, &ROOT, &[], Some(&LEDGER.1), now());
    drop(require_root(request, &ROOT));
    drop(contract_for(&LEDGER.1, &Mold::of(license.clone()), request));
    drop(release_of(request, &LEDGER.1));
    for to in [BindTo::Device, BindTo::Fingerprint(None), BindTo::Fingerprint(Some(Positive::MIN))]
    {
        let mut mold = Mold::of(license.clone());
        if bind(&mut mold, request, to).is_err() {
            continue;
        }
        let stamp = Stamp {
            license_id: license.license_id,
            serial: Positive::new(2).expect("two is a number"),
            issued_at: now(),
        };
        let license = mold.cast(stamp);
        if license.check().is_err() {
            continue;
        }
        let signed = issue(&ROOT, &license, &[&VENDOR.license.keys[0] as &dyn Signer])
            .expect("a license that keeps the rules can be issued");
        issue_of(&signed, request);
        taken_there(&signed, request);
    }
}

/// The machine that asked takes the answer.
fn taken_there(signed: &Verified<License>, request: &Request) {
    let site = SiteFacts {
        mode: SiteMode::Managed,
        tenants: [request.tenant_id].into(),
        device_key: request.device_key.clone(),
        fingerprint: request.fingerprint.clone(),
        open_nonce: Some(request.nonce.clone()),
        released: Default::default(),
    };
    let bundle = [signed.line(), b"\n"].concat();
    let standing = Standing::with_trust(ROOT.clone());
    let plan = plan_import(&standing, &bundle, Some(&site), now());
    assert!(plan.is_ok(), "the machine that asked refuses the answer: {:?}", plan.err());
}

/// A license, and a ledger that knows of its serial 1.
static LEDGER: LazyLock<(License, Ledger)> = LazyLock::new(|| {
    let license: License = serde_json::from_value(VENDOR.license_json(1)).expect("a license");
    let (mut ledger, _) = Ledger::begin(license.issuer, Timestamp::MIN);
    let issue = Issue::of(&license, Sha256Digest::new([1; 32]), vec![]);
    ledger.append(now(), Act::Issued(issue)).expect("the first entry fits");
    (license, ledger)
});
