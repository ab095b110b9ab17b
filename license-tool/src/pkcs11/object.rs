//! Objects: finding a key in a token, and making one there.

use cryptoki::{
    error::{Error, RvError},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session as Open,
};

use farhold_bundle::PublicKey;

use super::{
    error::TokenError,
    module::Session,
    signer::TokenSigner,
    uri::{Uri, UriError},
};

/// CKA_EC_PARAMS of Ed25519: the OBJECT IDENTIFIER 1.3.101.112, or its name (PKCS #11 3.0 §2.3.5).
const ED25519_PARAMS: [&[u8]; 2] = [b"\x06\x03\x2b\x65\x70", b"\x13\x0cedwards25519"];

/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 §4).
const SPKI_HEAD: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// Loads the one key that the URI names, and sees that its two halves belong together.
///
/// # Errors
/// [`TokenError::Key`], [`TokenError::Unfit`], [`TokenError::Call`].
pub fn load(session: &Session, uri: &Uri) -> Result<TokenSigner, TokenError> {
    let (private, public) = {
        let open = session.lock();
        let private = find_private(&open, uri)?;
        refuse_unfit(&open, private, uri)?;
        (private, read_public(&open, private, uri)?)
    };
    TokenSigner::new(session.clone(), private, public, uri.key())
}

/// Makes an Ed25519 key that never leaves the token, under the URI's label; `id` is its CKA_ID
/// unless the URI gives one.
///
/// # Errors
/// [`TokenError::Exists`] if any object has that label or id, [`TokenError::Unfit`] if the token
/// would give the key away (it is removed again), [`TokenError::Call`].
pub fn create(session: &Session, uri: &Uri, id: &[u8]) -> Result<TokenSigner, TokenError> {
    let label = uri.object.clone().ok_or(TokenError::Uri(UriError::NoLabel))?.into_bytes();
    let id = uri.id.clone().unwrap_or_else(|| id.to_vec());
    let exists = || TokenError::Exists { key: uri.key() };
    let made = {
        let open = session.lock();
        let taken = |attribute| find(&open, &[Attribute::Token(true), attribute]);
        if !taken(Attribute::Label(label.clone()))?.is_empty()
            || !taken(Attribute::Id(id.clone()))?.is_empty()
        {
            return Err(exists());
        }
        let made = generate(&open, &label, &id, uri)?;
        let kept = keeps_secret(&open, made.1, uri).and_then(|()| {
            // Labels are not unique in a token: another keygen may have run at the same moment.
            let named = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(label)];
            if find(&open, &named)?.len() > 1 { Err(exists()) } else { Ok(()) }
        });
        if let Err(error) = kept {
            remove(&open, made);
            return Err(error);
        }
        made
    };
    let named = Uri { id: Some(id), ..uri.clone() };
    load(session, &named).inspect_err(|_| remove(&session.lock(), made))
}

fn find_private(open: &Open, uri: &Uri) -> Result<ObjectHandle, TokenError> {
    let mut asked =
        vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(KeyType::EC_EDWARDS)];
    asked.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
    asked.extend(uri.id.clone().map(Attribute::Id));
    match find(open, &asked)?[..] {
        [only] => Ok(only),
        ref other => Err(TokenError::Key { key: uri.key(), found: other.len() }),
    }
}

fn refuse_unfit(open: &Open, private: ObjectHandle, uri: &Uri) -> Result<(), TokenError> {
    let unfit = |why| Err(TokenError::Unfit { key: uri.key(), why });
    let asked = [AttributeType::Sign, AttributeType::AlwaysAuthenticate];
    for attribute in attributes(open, private, &asked, uri)? {
        match attribute {
            Attribute::Sign(false) => return unfit("may not sign"),
            Attribute::AlwaysAuthenticate(true) => {
                return unfit("asks for its PIN at every signature, which is not supported");
            }
            _ => {}
        }
    }
    Ok(())
}

/// The public half: of the public object of the same id or label, or of the private one itself.
fn read_public(open: &Open, private: ObjectHandle, uri: &Uri) -> Result<PublicKey, TokenError> {
    let unfit = |why| TokenError::Unfit { key: uri.key(), why };
    let own = [AttributeType::Id, AttributeType::Label, AttributeType::PublicKeyInfo];
    let mut name = None;
    let mut spki = None;
    for attribute in attributes(open, private, &own, uri)? {
        match attribute {
            Attribute::Id(id) if !id.is_empty() => name = Some(Attribute::Id(id)),
            Attribute::Label(label) if name.is_none() && !label.is_empty() => {
                name = Some(Attribute::Label(label));
            }
            Attribute::PublicKeyInfo(der) if !der.is_empty() => spki = Some(der),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Some(name) = name {
        let class = Attribute::Class(ObjectClass::PUBLIC_KEY);
        found = find(open, &[class, Attribute::KeyType(KeyType::EC_EDWARDS), name])?;
    }
    let raw = match (found.first(), spki) {
        (Some(public), _) => point(open, *public, uri)?,
        (None, Some(spki)) => spki
            .strip_prefix(SPKI_HEAD)
            .and_then(|raw| raw.try_into().ok())
            .ok_or_else(|| unfit("is not an Ed25519 key"))?,
        (None, None) => return Err(unfit("shows no public half in the token")),
    };
    PublicKey::from_bytes(&raw).map_err(|_| unfit("shows a public half that is no usable key"))
}

fn point(open: &Open, public: ObjectHandle, uri: &Uri) -> Result<[u8; 32], TokenError> {
    let unfit = |why| TokenError::Unfit { key: uri.key(), why };
    let mut raw = None;
    let asked = [AttributeType::EcParams, AttributeType::EcPoint];
    for attribute in attributes(open, public, &asked, uri)? {
        match attribute {
            Attribute::EcParams(params) if !ED25519_PARAMS.contains(&params.as_slice()) => {
                return Err(unfit("is not an Ed25519 key"));
            }
            Attribute::EcPoint(point) => raw = Some(point),
            _ => {}
        }
    }
    let raw = raw.ok_or_else(|| unfit("shows no public half in the token"))?;
    // Bare, or as OCTET STRING or BIT STRING: modules differ.
    let bare = match raw.as_slice() {
        [0x04, 0x20, bare @ ..] | [0x03, 0x21, 0x00, bare @ ..] if bare.len() == 32 => bare,
        bare => bare,
    };
    bare.try_into().map_err(|_| unfit("is not an Ed25519 key"))
}

fn generate(
    open: &Open,
    label: &[u8],
    id: &[u8],
    uri: &Uri,
) -> Result<(ObjectHandle, ObjectHandle), TokenError> {
    let failed = || TokenError::call(format!("making {}", uri.key()));
    let private = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Label(label.to_vec()),
        Attribute::Id(id.to_vec()),
    ];
    let mut refused = None;
    for params in ED25519_PARAMS {
        let public = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(params.to_vec()),
            Attribute::Label(label.to_vec()),
            Attribute::Id(id.to_vec()),
        ];
        match open.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private) {
            Ok(made) => return Ok(made),
            // The curve by its other spelling; whatever else is wrong stays so.
            Err(error) if is_about_params(&error) => refused = Some(error),
            Err(error) => return Err(failed()(error)),
        }
    }
    Err(refused
        .map_or_else(|| TokenError::Unfit { key: uri.key(), why: "can't be made" }, failed()))
}

const fn is_about_params(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::AttributeValueInvalid
                | RvError::CurveNotSupported
                | RvError::DomainParamsInvalid
                | RvError::TemplateInconsistent
                | RvError::GeneralError
                | RvError::FunctionFailed,
            _
        )
    )
}

fn keeps_secret(open: &Open, private: ObjectHandle, uri: &Uri) -> Result<(), TokenError> {
    let asked = [AttributeType::Sensitive, AttributeType::Extractable];
    let said = attributes(open, private, &asked, uri)?;
    if said.contains(&Attribute::Sensitive(true)) && said.contains(&Attribute::Extractable(false)) {
        return Ok(());
    }
    Err(TokenError::Unfit { key: uri.key(), why: "could leave the token, and was removed again" })
}

/// What can't be removed stays beside; the failure that led here is what is told.
fn remove(open: &Open, (public, private): (ObjectHandle, ObjectHandle)) {
    let _ = open.destroy_object(private);
    let _ = open.destroy_object(public);
}

fn find(open: &Open, asked: &[Attribute]) -> Result<Vec<ObjectHandle>, TokenError> {
    open.find_objects(asked).map_err(TokenError::call("searching the token"))
}

/// Those of the attributes that the object has and shows.
fn attributes(
    open: &Open,
    object: ObjectHandle,
    asked: &[AttributeType],
    uri: &Uri,
) -> Result<Vec<Attribute>, TokenError> {
    open.get_attributes(object, asked)
        .map_err(TokenError::call(format!("reading what {} is", uri.key())))
}
