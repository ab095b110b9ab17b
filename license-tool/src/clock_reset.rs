//! Clock reset: the repair of one site's time, where no Kernel can make it.

use std::time::Duration;

use farhold_bundle::{
    Envelope, PublicKey, TrustRoot, Verified,
    payload::{ClockReset, DocumentType, Request, Root},
    verify_device_document,
};
use farhold_contract::{Code, Timestamp};

use crate::{dated::FAR, draft::Drafted, refusal::Refusal};

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

/// The reset that answers a request.
pub fn answer(request: &Request, time: Timestamp) -> ClockReset {
    let device_key = request.device_key.clone();
    ClockReset { device_key, nonce: request.nonce.clone(), time }
}

/// Refuses a reset that answers another request than the one given: a site's newest is the only
/// one that is open there.
///
/// # Errors
/// `usage.invalid`, `clock_reset.foreign`.
pub fn require_answers(reset: &ClockReset, request: &Request) -> Result<(), Refusal> {
    if reset.device_key != request.device_key {
        let what = format!(
            "the reset is for device {}, and the request is from {}",
            reset.device_key, request.device_key
        );
        return Err(Refusal::usage(what, "Give the request that the reset answers."));
    }
    if reset.nonce != request.nonce {
        let what = "the reset answers another request of this device than the one given";
        return Err(Refusal::new(Code::ClockResetForeign, what).with_next(
            "Each request takes the place of the one before: draft the reset again for the newest.",
        ));
    }
    Ok(())
}

impl Drafted for ClockReset {
    type Signed = Verified<Self>;

    fn asked<'a>(&'a self, root: &'a TrustRoot) -> (Option<&'a Root>, &'a Root) {
        (None, root.root().content())
    }

    /// It names neither issuer nor root: its keys alone tell.
    fn require_fits(&self, _: &TrustRoot) -> Result<(), Refusal> {
        Ok(())
    }

    fn verify(envelope: Envelope, root: &TrustRoot) -> Result<Self::Signed, Refusal> {
        Ok(root.verify(envelope)?)
    }
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
