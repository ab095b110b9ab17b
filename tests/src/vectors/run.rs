//! A vector through the library.

use serde_json::{Value, json};

use farhold_audit::{ExportError, ExportVerifier};
use farhold_bundle::{
    ImportPlan, LineOutcome, PublicKey, SetAside, Standing, TrustRoot, component_hash,
    decode_typed_form, plan_import,
};
use farhold_contract::{Code, Sha256Digest, Timestamp};

use super::vector::{Expect, Kind, Vector};

/// What comes of a vector's input.
///
/// # Errors
/// If the vector itself makes no sense: then nothing was tested.
pub fn run(vector: &Vector) -> Result<Expect, String> {
    let input = vector.input().map_err(|error| format!("its input is not base64: {error}"))?;
    require_members(vector)?;
    Ok(match vector.kind {
        Kind::Import => import(vector, &input, vector.now.ok_or("an import needs now")?)?,
        Kind::Install => install(&input, vector.sha256),
        Kind::TypedForm => typed_form(&input),
        Kind::Export => export(vector, &input),
        Kind::Signature => signature(vector, &input)?,
        Kind::Component => component(vector, &input)?,
        Kind::Floor => floor(vector, &input)?,
    })
}

/// What comes of an import at another time.
///
/// # Errors
/// As [`run`].
pub fn import_at(vector: &Vector, now: Timestamp) -> Result<Expect, String> {
    let input = vector.input().map_err(|error| format!("its input is not base64: {error}"))?;
    import(vector, &input, now)
}

/// A member that its kind does not read would only look as if it were tested.
fn require_members(vector: &Vector) -> Result<(), String> {
    let is_reset = vector.kind == Kind::Floor && vector.dated_by.is_some();
    match (vector.standing.is_empty(), vector.kind == Kind::Import, is_reset) {
        (true, _, true) => return Err("nothing stood at the clock reset".to_owned()),
        (false, false, false) => return Err("standing is not read by this kind".to_owned()),
        _ => {}
    }
    for (member, is_there, reader) in [
        ("now", vector.now.is_some(), Kind::Import),
        ("site", vector.site.is_some(), Kind::Import),
        ("sha256", vector.sha256.is_some(), Kind::Install),
        ("device_key", vector.device_key.is_some(), Kind::Export),
        ("dated_by", vector.dated_by.is_some(), Kind::Floor),
        ("public_key", vector.public_key.is_some(), Kind::Signature),
        ("signature", vector.signature.is_some(), Kind::Signature),
        ("salt", vector.salt.is_some(), Kind::Component),
        ("name", vector.name.is_some(), Kind::Component),
    ] {
        if is_there && vector.kind != reader {
            return Err(format!("{member} is not read by this kind"));
        }
    }
    Ok(())
}

fn import(vector: &Vector, input: &[u8], now: Timestamp) -> Result<Expect, String> {
    let standing = stands(vector.standing.iter().map(String::as_bytes))?;
    let site = vector.site.as_ref().map(super::vector::Site::facts);
    Ok(match plan_import(&standing, input, site.as_ref(), now) {
        Ok(plan) => Expect::Taken { ok: plan_value(&plan) },
        Err(refusal) => Expect::Refused { code: refusal.code(), line: refusal.line },
    })
}

fn stands<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Standing, String> {
    let (standing, refused) = Standing::reload(lines);
    match refused.first() {
        None => Ok(standing),
        Some(reason) => Err(format!("what should stand does not: {reason}")),
    }
}

fn plan_value(plan: &ImportPlan) -> Value {
    let outcomes: Vec<_> = plan.lines.iter().map(|line| word(line.outcome)).collect();
    let standing = &plan.standing;
    let serials: Vec<_> = standing.licenses().iter().map(|license| license.serial).collect();
    json!({
        "outcomes": outcomes,
        "fallen": plan.fallen.len(),
        "root": standing.root().map_or(0, TrustRoot::version),
        "revocations": standing.revocations().map_or(0, |list| list.generation.as_u64()),
        "serials": serials,
        "receipts": plan.receipts.len(),
        "clock_reset": plan.clock_reset.as_ref().map(|reset| reset.time),
    })
}

const fn word(outcome: LineOutcome) -> &'static str {
    match outcome {
        LineOutcome::New => "new",
        LineOutcome::Known => "known",
        LineOutcome::Superseded => "superseded",
    }
}

fn install(line: &[u8], sha256: Option<Sha256Digest>) -> Expect {
    match TrustRoot::install(line, sha256) {
        Ok(root) => Expect::Taken {
            ok: json!({ "version": root.version(), "sha256": root.root().sha256() }),
        },
        Err(reason) => refused(reason.code()),
    }
}

fn typed_form(text: &[u8]) -> Expect {
    match decode_typed_form(text) {
        Ok(line) => Expect::Taken { ok: json!({ "line": String::from_utf8_lossy(&line) }) },
        Err(reason) => refused(reason.code()),
    }
}

fn export(vector: &Vector, bytes: &[u8]) -> Expect {
    match verify_export(vector, bytes) {
        Ok(ok) => Expect::Taken { ok },
        Err(error) => refused(error.code()),
    }
}

fn verify_export(vector: &Vector, bytes: &[u8]) -> Result<Value, ExportError> {
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut verifier = ExportVerifier::open(first, vector.device_key.as_ref())?;
    for line in lines {
        verifier.record(line)?;
    }
    let summary = verifier.finish()?;
    let withheld: u64 = summary.withheld().values().sum();
    Ok(json!({
        "records": summary.records(),
        "withheld": withheld,
        "to_seq": summary.after().seq,
        "head": summary.after().head,
    }))
}

fn signature(vector: &Vector, message: &[u8]) -> Result<Expect, String> {
    let hex = vector.signature.as_deref().ok_or("a signature is needed")?;
    let bytes = hex::decode(hex).map_err(|error| format!("the signature is not hex: {error}"))?;
    let text = vector.public_key.as_deref().ok_or("a public key is needed")?;
    let Ok(key) = text.parse::<PublicKey>() else { return Ok(refused(Code::KeyWeak)) };
    let holds = <&[u8; 64]>::try_from(bytes.as_slice())
        .is_ok_and(|signature| key.verifies(message, signature));
    Ok(if holds {
        Expect::Taken { ok: json!({ "key_id": key.id() }) }
    } else {
        refused(Code::SignatureInvalid)
    })
}

fn component(vector: &Vector, value: &[u8]) -> Result<Expect, String> {
    let name = vector.name.as_deref().ok_or("a name is needed")?;
    let mut salt = [0; 16];
    hex::decode_to_slice(vector.salt.as_deref().ok_or("a salt is needed")?, &mut salt)
        .map_err(|error| format!("the salt is not 16 bytes in hex: {error}"))?;
    Ok(Expect::Taken { ok: json!({ "hash": component_hash(&salt, name, value) }) })
}

fn floor(vector: &Vector, lines: &[u8]) -> Result<Expect, String> {
    let lines = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let standing = stands(lines)?;
    let set_aside = match vector.dated_by {
        Some(time) => stands(vector.standing.iter().map(String::as_bytes))?.dated_after(time),
        None => SetAside::new(),
    };
    let floor = standing.floor(&standing.still_set_aside(&set_aside));
    Ok(Expect::Taken { ok: json!({ "floor": floor }) })
}

const fn refused(code: Code) -> Expect {
    Expect::Refused { code, line: None }
}
