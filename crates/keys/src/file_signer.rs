//! File signer: a private key that lies in a file.

use std::path::Path;

use secrecy::SecretString;

use farhold_bundle::{PublicKey, Signer, Unsigned};

use crate::{
    error::KeyError,
    key_pair::{KeyPair, new_seed},
    pkcs8_pem::{self, PemError},
    secret_file::{read_key, write_secret},
};

/// A private key in memory, wiped when dropped. It shows only its public half.
pub struct FileSigner(KeyPair);

/// Makes a key and writes it to a new file, encrypted if there is a passphrase.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Unwritable`], [`KeyError::Random`],
/// [`KeyError::PassphraseEmpty`].
pub fn create(path: &Path, passphrase: Option<&SecretString>) -> Result<FileSigner, KeyError> {
    let seed = new_seed()?;
    let pem = pkcs8_pem::write(&seed, passphrase)?;
    write_secret(path, pem.as_bytes())?;
    Ok(FileSigner(KeyPair::of(&seed)))
}

/// Loads a key. A passphrase for a key that is not encrypted is not looked at.
///
/// # Errors
/// [`KeyError::Unreadable`], [`KeyError::Exposed`], [`KeyError::NotAKey`],
/// [`KeyError::PassphraseMissing`], [`KeyError::PassphraseWrong`].
pub fn load(path: &Path, passphrase: Option<&SecretString>) -> Result<FileSigner, KeyError> {
    let pem = read_key(path)?;
    let seed = pkcs8_pem::read(&pem, passphrase).map_err(|error| at(path, error))?;
    Ok(FileSigner(KeyPair::of(&seed)))
}

/// Whether the key is encrypted, so that a passphrase must be asked for.
///
/// # Errors
/// [`KeyError::Unreadable`], [`KeyError::Exposed`], [`KeyError::NotAKey`].
pub fn is_encrypted(path: &Path) -> Result<bool, KeyError> {
    pkcs8_pem::is_encrypted(&read_key(path)?).map_err(|error| at(path, error))
}

fn at(path: &Path, error: PemError) -> KeyError {
    let path = path.to_owned();
    match error {
        PemError::NotAKey(why) => KeyError::NotAKey { path, why },
        PemError::PassphraseMissing => KeyError::PassphraseMissing { path },
        PemError::PassphraseWrong => KeyError::PassphraseWrong { path },
    }
}

impl Signer for FileSigner {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        self.0.sign(message)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use farhold_contract::Code;

    use super::*;

    #[test]
    fn a_key_comes_back_as_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = SecretString::from("a long passphrase");
        for (name, passphrase) in [("plain.key", None), ("sealed.key", Some(&passphrase))] {
            let path = folder.path().join(name);
            let made = create(&path, passphrase).unwrap();
            assert_eq!(is_encrypted(&path).unwrap(), passphrase.is_some());
            let loaded = load(&path, passphrase).unwrap();
            assert_eq!(made.public_key(), loaded.public_key());
            assert_eq!(made.sign(b"word"), loaded.sign(b"word"));
        }
    }

    #[test]
    fn a_key_is_never_written_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        create(&path, None).unwrap();
        let before = fs::read(&path).unwrap();
        let error = create(&path, None).err().unwrap();
        assert_eq!(error.code(), Code::OutputExists);
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn each_refusal_has_its_code() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        create(&path, Some(&SecretString::from("right"))).unwrap();
        let code = |path: &Path, passphrase: Option<&str>| {
            load(path, passphrase.map(SecretString::from).as_ref()).err().unwrap().code()
        };
        assert_eq!(code(&path, None), Code::KeyPassphrase);
        assert_eq!(code(&path, Some("wrong")), Code::KeyPassphrase);
        assert_eq!(code(&folder.path().join("none.key"), None), Code::KeyUnreadable);
        let text = folder.path().join("text");
        write_secret(&text, b"hello").unwrap();
        assert_eq!(code(&text, None), Code::KeyUnreadable);
        let large = folder.path().join("large");
        write_secret(&large, &vec![b'-'; 70_000]).unwrap();
        assert_eq!(code(&large, None), Code::KeyUnreadable);
        let missing = create(&folder.path().join("no/folder.key"), None).err().unwrap();
        assert_eq!(missing.code(), Code::OutputUnwritable);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        create(&path, None).unwrap();
        for (mode, refused) in
            [(0o640, true), (0o604, true), (0o620, true), (0o600, false), (0o400, false)]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match load(&path, None) {
                Err(KeyError::Exposed { mode: seen, .. }) => {
                    assert!(refused && seen == mode, "{mode:o}");
                }
                Err(error) => panic!("{mode:o}: {error}"),
                Ok(_) => assert!(!refused, "{mode:o}"),
            }
        }
    }

    #[test]
    fn openssl_reads_what_is_written_and_its_keys_are_read() {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: openssl is not on PATH, so its reading of our keys is UNTESTED");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let openssl = |args: &[&str]| {
            let output =
                Command::new("openssl").current_dir(&folder).args(args).output().expect("runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "openssl {args:?}: {said}");
            String::from_utf8(output.stdout).unwrap()
        };
        let passphrase = SecretString::from("four words of chance");
        for (name, passphrase) in [("plain.key", None), ("sealed.key", Some(&passphrase))] {
            let made = create(&folder.path().join(name), passphrase).unwrap();
            let pass = "pass:four words of chance";
            let text = openssl(&["pkey", "-in", name, "-passin", pass, "-noout", "-text"]);
            let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect();
            assert!(hex.contains(&made.public_key().to_string()), "{text}");
        }
        openssl(&["genpkey", "-algorithm", "ed25519", "-out", "theirs.key"]);
        openssl(&[
            "pkcs8",
            "-topk8",
            "-in",
            "theirs.key",
            "-v2",
            "aes-256-cbc",
            "-passout",
            "pass:pw",
            "-out",
            "sealed-theirs.key",
        ]);
        for name in ["theirs.key", "sealed-theirs.key"] {
            make_private(&folder.path().join(name));
        }
        let plain = load(&folder.path().join("theirs.key"), None).unwrap();
        let sealed =
            load(&folder.path().join("sealed-theirs.key"), Some(&SecretString::from("pw")))
                .unwrap();
        assert_eq!(plain.public_key(), sealed.public_key());
        openssl(&["genpkey", "-algorithm", "rsa", "-out", "rsa.key"]);
        make_private(&folder.path().join("rsa.key"));
        let error = load(&folder.path().join("rsa.key"), None).err().unwrap();
        assert!(error.to_string().contains("another algorithm"), "{error}");
    }

    fn make_private(path: &Path) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let _ = path;
    }
}
