//! Passphrases and PINs: from a file, a descriptor or the terminal; never from arguments or
//! environment. Here every verb loads its keys.

use std::{
    cell::RefCell,
    collections::VecDeque,
    env,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use farhold_bundle::{Role, TrustRoot};
use farhold_contract::Code;
use farhold_keys::{FileSigner, KeyError};

use crate::{
    issue::require_role,
    key::Key,
    pkcs11::{self, Modules, Session, TokenError, TokenSigner, Uri},
    refusal::Refusal,
};

/// Where passphrases and PINs come from, and which module reaches the tokens.
#[derive(clap::Args)]
pub(crate) struct PassphraseArgs {
    /// Reads a passphrase from the first line of FILE; repeat it for several keys
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Vec<PathBuf>,
    /// Reads a passphrase from the open descriptor N; repeat it for several keys
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Vec<u32>,
    /// Reads a token's PIN from the first line of FILE; repeat it for several tokens, in the order
    /// in which their keys are given
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Vec<PathBuf>,
    /// Reads a token's PIN from the open descriptor N; after those of --pin-file
    #[arg(long, value_name = "N")]
    pub(crate) pin_fd: Vec<u32>,
    /// The PKCS#11 module of keys whose URI names none; LICENSE_TOOL_PKCS11_MODULE if not said
    #[arg(long, value_name = "FILE")]
    pub(crate) pkcs11_module: Option<PathBuf>,
}

impl PassphraseArgs {
    /// The files that hold passphrases and PINs: no output may be one of them.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.passphrase_file.iter().chain(&self.pin_file).map(PathBuf::as_path)
    }
}

/// The variable that names a PKCS#11 module.
const MODULE_VARIABLE: &str = "LICENSE_TOOL_PKCS11_MODULE";

/// Passphrases and PINs that were given; without any, the terminal is asked. One a run: it knows
/// the tokens that it has logged into.
pub(crate) struct Passphrases {
    passphrases: Vec<SecretString>,
    pins: RefCell<VecDeque<SecretString>>,
    modules: Modules,
}

/// Longest passphrase or PIN, in bytes.
const LONGEST_BYTES: u64 = 4096;

impl Passphrases {
    /// Reads what was given.
    pub(crate) fn read(args: &PassphraseArgs) -> Result<Self, Refusal> {
        let module = args.pkcs11_module.clone();
        let module = module.or_else(|| env::var_os(MODULE_VARIABLE).map(PathBuf::from));
        Ok(Self {
            passphrases: secrets("passphrase", &args.passphrase_file, &args.passphrase_fd)?,
            pins: RefCell::new(secrets("PIN", &args.pin_file, &args.pin_fd)?.into()),
            modules: Modules::new(module.filter(|path| !path.as_os_str().is_empty())),
        })
    }

    /// Loads a key as it is named on the command line: a file, or a PKCS#11 URI.
    pub(crate) fn load(&self, key: &Path) -> Result<Key, Refusal> {
        match key.to_str().filter(|text| Uri::is_one(text)) {
            Some(uri) => {
                let uri = Uri::parse(uri).map_err(TokenError::Uri)?;
                Ok(pkcs11::load(&self.session(&uri)?, &uri)?.into())
            }
            None => Ok(self.load_file(key)?.into()),
        }
    }

    /// Loads the keys of one role; one that may not sign is refused before the next passphrase is
    /// asked for.
    pub(crate) fn load_all(
        args: &PassphraseArgs,
        keys: &[PathBuf],
        root: &TrustRoot,
        role: Role,
    ) -> Result<Vec<Key>, Refusal> {
        let passphrases = Self::read(args)?;
        let load = |path: &PathBuf| {
            let key = passphrases.load(path)?;
            require_role(root, &key, role).map_err(|refusal| refusal.of_file(path))?;
            Ok(key)
        };
        keys.iter().map(load).collect()
    }

    /// Makes a key in the token that the URI names; `id` is its object's unless the URI says it.
    pub(crate) fn create_in_token(&self, uri: &Uri, id: &[u8]) -> Result<TokenSigner, Refusal> {
        Ok(pkcs11::create(&self.session(uri)?, uri, id)?)
    }

    fn session(&self, uri: &Uri) -> Result<Session, Refusal> {
        self.modules.session(uri, |token| {
            if let Some(path) = &uri.pin_source {
                return secret_in("PIN", path);
            }
            // Never the next one after a wrong one: a token counts them.
            match self.pins.borrow_mut().pop_front() {
                Some(pin) => Ok(pin),
                None => rpassword::prompt_password(format!("PIN of {token}: "))
                    .map(|typed| SecretString::from(Zeroizing::new(typed).as_str()))
                    .map_err(|_| no_pin(token)),
            }
        })
    }

    /// Loads a key's file, with whichever of the passphrases opens it.
    fn load_file(&self, key: &Path) -> Result<FileSigner, Refusal> {
        if !farhold_keys::is_encrypted(key)? {
            return Ok(farhold_keys::load(key, None)?);
        }
        if self.passphrases.is_empty() {
            let typed = ask(&format!("Passphrase of {}: ", key.display()))?;
            return Ok(farhold_keys::load(key, Some(&typed))?);
        }
        let mut refusal = None;
        for passphrase in &self.passphrases {
            match farhold_keys::load(key, Some(passphrase)) {
                Ok(signer) => return Ok(signer),
                Err(error @ KeyError::PassphraseWrong { .. }) => refusal = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(refusal.map_or_else(no_terminal, Refusal::from))
    }

    /// The passphrase for a new key: the one given, or typed twice.
    pub(crate) fn for_new_key(self) -> Result<SecretString, Refusal> {
        let mut given = self.passphrases;
        match (given.pop(), given.is_empty()) {
            (Some(passphrase), true) => Ok(passphrase),
            (Some(_), false) => Err(Refusal::usage(
                "more than one passphrase is given for one key",
                "Give one --passphrase-file or --passphrase-fd.",
            )),
            (None, _) => {
                let typed = ask("New passphrase: ")?;
                let again = ask("The same again: ")?;
                if typed.expose_secret() != again.expose_secret() {
                    return Err(Refusal::new(
                        Code::KeyPassphrase,
                        "the two passphrases are not the same; no key was made",
                    )
                    .with_next("Run it again and type the same passphrase twice."));
                }
                Ok(typed)
            }
        }
    }
}

fn ask(prompt: &str) -> Result<SecretString, Refusal> {
    match rpassword::prompt_password(prompt) {
        Ok(typed) => Ok(SecretString::from(Zeroizing::new(typed).as_str())),
        Err(_) => Err(no_terminal()),
    }
}

fn no_terminal() -> Refusal {
    Refusal::new(Code::KeyPassphrase, "a passphrase is needed and there is no terminal to ask")
        .with_next("Give --passphrase-file FILE or --passphrase-fd N.")
}

fn no_pin(token: &str) -> Refusal {
    let what = format!("{token} needs its PIN and there is no terminal to ask");
    Refusal::new(Code::KeyModule, what).with_next("Give --pin-file FILE or --pin-fd N.")
}

fn secrets(what: &str, files: &[PathBuf], fds: &[u32]) -> Result<Vec<SecretString>, Refusal> {
    let mut given = Vec::new();
    for path in files {
        given.push(secret_in(what, path)?);
    }
    for &descriptor in fds {
        let name = format!("descriptor {descriptor}");
        given.push(match descriptor {
            0 => first_line(what, &name, Ok(io::stdin()))?,
            // The system's own name for an open descriptor: taking it over by its number would
            // need unsafe code.
            other => first_line(what, &name, File::open(format!("/dev/fd/{other}")))?,
        });
    }
    Ok(given)
}

/// A file that others may read is refused, as a key's is.
fn secret_in(what: &str, path: &Path) -> Result<SecretString, Refusal> {
    let file = match farhold_keys::open_secret(path) {
        Err(KeyError::Unreadable { source, .. }) => Err(source),
        opened => Ok(opened?),
    };
    first_line(what, &path.display().to_string(), file)
}

fn first_line(
    what: &str,
    name: &str,
    from: io::Result<impl Read>,
) -> Result<SecretString, Refusal> {
    let unreadable = |why: String| {
        Refusal::new(Code::InputUnreadable, format!("the {what} in {name} can't be read: {why}"))
    };
    // As large as it may get at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * LONGEST_BYTES as usize));
    from.and_then(|from| from.take(LONGEST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LONGEST_BYTES {
        return Err(unreadable(format!("it is longer than {LONGEST_BYTES} bytes")));
    }
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    if text.is_empty() {
        return Err(unreadable("its first line is empty".to_owned()));
    }
    Ok(SecretString::from(text))
}
