//! PKCS#8 in PEM: what is inside a key's file.
//!
//! Version 1, without the public half: OpenSSL 3.0 does not read version 2.

use pkcs8::{
    AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef, LineEnding, ObjectIdentifier,
    PrivateKeyInfoRef, SecretDocument,
    der::asn1::OctetStringRef,
    pkcs5::{pbes2, scrypt},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::KeyError;

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// RFC 8410 §3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// DER of an OCTET STRING of 32 bytes, without the bytes (RFC 8410 §7: `CurvePrivateKey`).
const SEED_HEAD: [u8; 2] = [0x04, 32];

/// N = 2¹⁴, r = 8, p = 5: 16 MiB five times over. OpenSSL refuses parameters above 32 MiB, so
/// the work grows by repetition instead.
const SCRYPT: (u8, u32, u32) = (14, 8, 5);

/// What keeps PEM from being a key. The caller knows the path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PemError {
    NotAKey(&'static str),
    PassphraseMissing,
    PassphraseWrong,
}

/// Writes a seed, encrypted if there is a passphrase.
pub(crate) fn write(
    seed: &[u8; 32],
    passphrase: Option<&SecretString>,
) -> Result<Zeroizing<String>, KeyError> {
    let plain = plain_der(seed);
    let (label, document) = match passphrase {
        None => (PLAIN, plain),
        Some(passphrase) => (ENCRYPTED, encrypt(&plain, passphrase)?),
    };
    Ok(document.to_pem(label, LineEnding::LF).expect("a label of letters fits PEM"))
}

fn plain_der(seed: &[u8; 32]) -> SecretDocument {
    let mut inner = Zeroizing::new([0; 34]);
    inner[..2].copy_from_slice(&SEED_HEAD);
    inner[2..].copy_from_slice(seed);
    let octets = OctetStringRef::new(&*inner).expect("34 bytes fit an OCTET STRING");
    let algorithm = AlgorithmIdentifierRef { oid: ED25519, parameters: None };
    SecretDocument::encode_msg(&PrivateKeyInfoRef::new(algorithm, octets))
        .expect("a key of 34 bytes fits DER")
}

fn encrypt(plain: &SecretDocument, passphrase: &SecretString) -> Result<SecretDocument, KeyError> {
    if passphrase.expose_secret().is_empty() {
        return Err(KeyError::PassphraseEmpty);
    }
    let mut salt = [0; 16];
    let mut iv = [0; 16];
    for random in [&mut salt, &mut iv] {
        getrandom::fill(random).map_err(|source| KeyError::Random { source })?;
    }
    let (log_n, r, p) = SCRYPT;
    let cost = scrypt::Params::new(log_n, r, p).expect("the cost is within scrypt's bounds");
    let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv)
        .expect("a salt of 16 bytes is within PBES2's bounds");
    let ciphertext = scheme
        .encrypt(passphrase.expose_secret(), plain.as_bytes())
        .expect("AES-256-CBC takes any length");
    let document = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: scheme.into(),
        encrypted_data: OctetStringRef::new(&ciphertext).expect("it is short"),
    };
    Ok(SecretDocument::encode_msg(&document).expect("it is short"))
}

/// Reads a seed. A passphrase for a key that needs none is not looked at.
pub(crate) fn read(
    pem: &[u8],
    passphrase: Option<&SecretString>,
) -> Result<Zeroizing<[u8; 32]>, PemError> {
    let (encrypted, document) = open(pem)?;
    if !encrypted {
        return seed(&document);
    }
    let not_pbes2 = PemError::NotAKey("is encrypted in a way this tool does not read");
    let document =
        EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| not_pbes2)?;
    let passphrase = passphrase.ok_or(PemError::PassphraseMissing)?;
    // CBC has no tag: a wrong passphrase may leave correct padding and then no DER.
    let plain =
        document.decrypt(passphrase.expose_secret()).map_err(|_| PemError::PassphraseWrong)?;
    if PrivateKeyInfoRef::try_from(plain.as_bytes()).is_err() {
        return Err(PemError::PassphraseWrong);
    }
    seed(&plain)
}

/// Whether the file's key is encrypted.
pub(crate) fn is_encrypted(pem: &[u8]) -> Result<bool, PemError> {
    Ok(open(pem)?.0)
}

fn open(pem: &[u8]) -> Result<(bool, SecretDocument), PemError> {
    let not_pem = PemError::NotAKey("is not a private key in PKCS#8 PEM");
    let Ok(text) = std::str::from_utf8(pem) else { return Err(not_pem) };
    match SecretDocument::from_pem(text) {
        Ok((PLAIN, document)) => Ok((false, document)),
        Ok((ENCRYPTED, document)) => Ok((true, document)),
        _ => Err(not_pem),
    }
}

/// The seed. A public half beside it (version 2) is not looked at: it is derived, never trusted.
fn seed(document: &SecretDocument) -> Result<Zeroizing<[u8; 32]>, PemError> {
    let info = PrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|_| PemError::NotAKey("is not a private key in PKCS#8 PEM"))?;
    if info.algorithm.oid != ED25519 || info.algorithm.parameters.is_some() {
        return Err(PemError::NotAKey("is a key of another algorithm; Ed25519 is needed"));
    }
    info.private_key
        .as_bytes()
        .strip_prefix(&SEED_HEAD)
        .and_then(|seed| <[u8; 32]>::try_from(seed).ok())
        .map(Zeroizing::new)
        .ok_or(PemError::NotAKey("is not a whole Ed25519 key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_form_is_version_1_byte_for_byte() {
        let seed = [0x5a; 32];
        // SEQUENCE { INTEGER 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING } }
        let mut expected = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        expected.extend_from_slice(&seed);
        assert_eq!(plain_der(&seed).as_bytes(), expected);
        assert_eq!(*read(write(&seed, None).unwrap().as_bytes(), None).unwrap(), seed);
    }

    #[test]
    fn only_its_passphrase_opens_an_encrypted_key() {
        let seed = [7; 32];
        let passphrase = SecretString::from("correct horse");
        let pem = write(&seed, Some(&passphrase)).unwrap();
        assert_eq!(is_encrypted(pem.as_bytes()), Ok(true));
        assert_eq!(*read(pem.as_bytes(), Some(&passphrase)).unwrap(), seed);
        assert_eq!(read(pem.as_bytes(), None), Err(PemError::PassphraseMissing));
        for wrong in ["correct horsf", "", "correct horse\n"] {
            let wrong = SecretString::from(wrong);
            assert_eq!(read(pem.as_bytes(), Some(&wrong)), Err(PemError::PassphraseWrong));
        }
        let again = write(&seed, Some(&passphrase)).unwrap();
        assert_ne!(*pem, *again, "salt and IV are random");
    }

    #[test]
    fn an_empty_passphrase_encrypts_nothing() {
        let error = write(&[7; 32], Some(&SecretString::from(""))).unwrap_err();
        assert!(matches!(error, KeyError::PassphraseEmpty));
    }

    #[test]
    fn other_keys_and_other_files_are_refused() {
        let wrap = |der: &[u8]| {
            let document = SecretDocument::try_from(der).unwrap();
            document.to_pem(PLAIN, LineEnding::LF).unwrap()
        };
        // X25519 (1.3.101.110): the same bytes but one.
        let mut x25519 = plain_der(&[9; 32]).as_bytes().to_vec();
        x25519[11] = 0x6e;
        let mut short = plain_der(&[9; 32]).as_bytes()[..47].to_vec();
        short[1] -= 1;
        short[13] -= 1;
        short[15] -= 1;
        for (pem, why) in [
            (wrap(&x25519).as_str(), "another algorithm"),
            (wrap(&short).as_str(), "not a whole"),
            ("", "not a private key"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a private key"),
            ("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", "not a private key"),
        ] {
            match read(pem.as_bytes(), None) {
                Err(PemError::NotAKey(said)) => assert!(said.contains(why), "{said}"),
                other => panic!("{pem}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_public_half_in_the_file_is_not_trusted() {
        let seed = [3; 32];
        let mut v2 = plain_der(&seed).as_bytes().to_vec();
        v2[4] = 1;
        v2.extend_from_slice(&[0x81, 0x21, 0x00]); // [1] IMPLICIT BIT STRING of 32 bytes
        v2.extend_from_slice(&[0xee; 32]);
        v2[1] = u8::try_from(v2.len() - 2).unwrap();
        let document = SecretDocument::try_from(v2.as_slice()).unwrap();
        let pem = document.to_pem(PLAIN, LineEnding::LF).unwrap();
        assert_eq!(*read(pem.as_bytes(), None).unwrap(), seed);
    }
}
