//! Clock reset: the repair of one site's time, where no Kernel can make it.

use std::time::Duration;

use farhold_bundle::{
    Envelope, PublicKey, Signer, TrustRoot, Verified, add_signature,
    payload::{ClockReset, DocumentType, Request, Role},
    seal, verify_device_document,
};
use farhold_contract::{Code, Timestamp};

use crate::{issue::require_role, refusal::Refusal};

/// The tolerance of every rule about clocks (`bundle.md` §5): what is farther is worth a question.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens a site's request: proven by the key that it names, or by the one expected.
///
/// # Errors
/// `payload.type_unknown`, `signature.*`, `payload.*`.
pub fn open_request(
    envelope: Envelope,
    expected: Option<&PublicKey>,
) -> Result<Verified<Request>, Refusal> {
    if envelope.kind() != DocumentType::Request {
        let what = format!("this is a {}, not a request", envelope.kind());
        return Err(Refusal::new(Code::PayloadType, what)
            .with_next("Give the file that farhold request made at the site."));
    }
    let claimed: Request = serde_json::from_slice(envelope.danger_unverified_payload())
        .map_err(|_| Refusal::new(Code::PayloadMalformed, "the request can't be read"))?;
    let request =
        verify_device_document::<Request>(envelope, expected.unwrap_or(&claimed.device_key))?;
    // Proven by one key and naming another, it would be answered for the other.
    if expected.is_some_and(|key| *key != request.device_key) {
        return Err(Refusal::new(
            Code::SignatureInvalid,
            format!("the request names device {}, which is not its signer", request.device_key),
        ));
    }
    Ok(request)
}

/// Signs the reset that answers a request; what is returned has been verified under the root.
///
/// # Errors
/// `trust.root_expired`, `signature.*` for a key that may not sign.
pub fn clock_reset(
    root: &TrustRoot,
    request: &Request,
    time: Timestamp,
    now: Timestamp,
    signers: &[&dyn Signer],
) -> Result<Verified<ClockReset>, Refusal> {
    let ends = root.root().expires;
    if ends <= now {
        let what = format!("root {} ended at {ends}; no site would take the reset", root.version());
        return Err(Refusal::new(Code::TrustRootExpired, what)
            .with_next("Make the next root first, then sign under it."));
    }
    for signer in signers {
        require_role(root, *signer, Role::License)?;
    }
    let [first, others @ ..] = signers else {
        return Err(Refusal::usage("no key was given", "Give --key with a license key."));
    };
    let device_key = request.device_key.clone();
    let reset = ClockReset { device_key, nonce: request.nonce.clone(), time };
    let mut line = seal(&reset, *first)?;
    for signer in others {
        line = add_signature(&line, *signer)?;
    }
    Ok(root.verify(Envelope::open(&line)?)?)
}

/// What the vendor should know before the site's time is set to `time`.
pub fn warnings(
    root: &TrustRoot,
    request: &Request,
    time: Timestamp,
    now: Timestamp,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if distance(time, now) > FAR {
        warnings.push(format!(
            "{time} is more than a day from this machine's clock ({now}): the site would count its \
             licenses from there"
        ));
    }
    if distance(request.wall, time) > FAR {
        warnings.push(format!(
            "the site's system clock was at {}: set it right there, too, or its time soon leaves \
             {time} again",
            request.wall
        ));
    }
    if request.mark <= time {
        warnings.push(format!(
            "the site's own time ({}) is not ahead of {time}: nothing needs repair",
            request.mark
        ));
    }
    match &request.root {
        None => warnings.push("the site has no trust root: it takes nothing".to_owned()),
        Some(theirs) if theirs.version.as_u64() < root.version() => warnings.push(format!(
            "the site stands at root {}: send the roots after it in the same bundle",
            theirs.version
        )),
        Some(theirs)
            if theirs.version.as_u64() == root.version()
                && theirs.sha256 != root.root().sha256() =>
        {
            warnings.push(format!(
                "the site stands at another root {}: it takes nothing by this one",
                theirs.version
            ));
        }
        Some(theirs) if theirs.version.as_u64() > root.version() => warnings.push(format!(
            "the site stands at root {}, which is newer than the one given",
            theirs.version
        )),
        Some(_) => {}
    }
    warnings
}

fn distance(one: Timestamp, other: Timestamp) -> Duration {
    one.saturating_since(other).max(other.saturating_since(one))
}
