//! Passphrases: from a file, a descriptor or the terminal; never from arguments or environment.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use farhold_contract::Code;
use farhold_keys::{FileSigner, KeyError};

use crate::refusal::Refusal;

/// Where passphrases come from.
#[derive(clap::Args)]
pub(crate) struct PassphraseArgs {
    /// Reads a passphrase from the first line of FILE; repeat it for several keys
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Vec<PathBuf>,
    /// Reads a passphrase from the open descriptor N; repeat it for several keys
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Vec<u32>,
}

impl PassphraseArgs {
    /// The files that hold passphrases: no output may be one of them.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.passphrase_file.iter().map(PathBuf::as_path)
    }
}

/// Passphrases that were given; without any, the terminal is asked.
pub(crate) struct Passphrases(Vec<SecretString>);

/// Longest passphrase, in bytes.
const LONGEST_BYTES: u64 = 4096;

impl Passphrases {
    /// Reads what was given.
    pub(crate) fn read(args: &PassphraseArgs) -> Result<Self, Refusal> {
        let mut given = Vec::new();
        for path in &args.passphrase_file {
            given.push(first_line(&path.display().to_string(), File::open(path))?);
        }
        for &descriptor in &args.passphrase_fd {
            let name = format!("descriptor {descriptor}");
            given.push(match descriptor {
                0 => first_line(&name, Ok(io::stdin()))?,
                // The system's own name for an open descriptor: taking it over by its number
                // would need unsafe code.
                other => first_line(&name, File::open(format!("/dev/fd/{other}")))?,
            });
        }
        Ok(Self(given))
    }

    /// Loads a key, with whichever of the passphrases opens it.
    pub(crate) fn load(&self, key: &Path) -> Result<FileSigner, Refusal> {
        if !farhold_keys::is_encrypted(key)? {
            return Ok(farhold_keys::load(key, None)?);
        }
        if self.0.is_empty() {
            let typed = ask(&format!("Passphrase of {}: ", key.display()))?;
            return Ok(farhold_keys::load(key, Some(&typed))?);
        }
        let mut refusal = None;
        for passphrase in &self.0 {
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
        let mut given = self.0;
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

fn first_line(name: &str, from: io::Result<impl Read>) -> Result<SecretString, Refusal> {
    let unreadable = |why: String| {
        Refusal::new(
            Code::InputUnreadable,
            format!("the passphrase in {name} can't be read: {why}"),
        )
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
