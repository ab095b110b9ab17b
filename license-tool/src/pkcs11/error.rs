//! Why a key in a token can't be used.

use std::path::PathBuf;

use cryptoki::error::{Error, RvError};

use farhold_contract::Code;

use super::uri::UriError;
use crate::refusal::Refusal;

/// Why a module, its token or a key in it can't be used. It never holds a PIN.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The URI can't be read.
    #[error("the PKCS#11 URI can't be used")]
    Uri(#[source] UriError),
    /// No module is named.
    #[error("no PKCS#11 module is named")]
    NoModule,
    /// The module can't be loaded.
    #[error("the PKCS#11 module {} can't be loaded: {said}", path.display())]
    Module {
        /// Its file.
        path: PathBuf,
        /// What was said.
        said: String,
    },
    /// A token is not found, or not told from others.
    #[error("{found} tokens of the module match {place}; one must")]
    Token {
        /// The token asked for.
        place: String,
        /// How many match.
        found: usize,
        /// What the module has, for people.
        present: Vec<String>,
    },
    /// The token does not take the PIN.
    #[error("{place} does not take the PIN")]
    Pin {
        /// The token.
        place: String,
    },
    /// The token has locked its PIN.
    #[error("{place} has locked its PIN after too many wrong ones")]
    PinLocked {
        /// The token.
        place: String,
    },
    /// The key is not found, or not told from others.
    #[error("{found} Ed25519 private keys match {key}; one must")]
    Key {
        /// The key asked for.
        key: String,
        /// How many match.
        found: usize,
    },
    /// The object is there and can't sign as needed.
    #[error("{key} {why}")]
    Unfit {
        /// The key.
        key: String,
        /// Why not.
        why: &'static str,
    },
    /// Something has that label or id already.
    #[error("{key} exists already and is never overwritten")]
    Exists {
        /// The key asked for.
        key: String,
    },
    /// A call failed.
    #[error("{what} failed: {said}")]
    Call {
        /// What was tried.
        what: String,
        /// What was said.
        said: String,
    },
}

impl TokenError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Uri(_) => Code::UsageInvalid,
            Self::Exists { .. } => Code::OutputExists,
            _ => Code::KeyModule,
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Uri(UriError::PinValue) => {
                "Leave pin-value out and give --pin-file or --pin-fd; change the PIN, it was shown."
                    .to_owned()
            }
            Self::Uri(_) => {
                "Write it as pkcs11:token=LABEL;object=LABEL?module-path=FILE.".to_owned()
            }
            Self::NoModule => {
                "Add ?module-path=FILE to the URI, give --pkcs11-module FILE, or set \
                               LICENSE_TOOL_PKCS11_MODULE."
                    .to_owned()
            }
            Self::Module { .. } => "Check the path: it is the vendor's shared library, made for \
                                    this machine."
                .to_owned(),
            Self::Token { present, .. } if present.is_empty() => {
                "The module shows no initialized token: plug it in, or check the module's own \
                 configuration."
                    .to_owned()
            }
            Self::Token { present, .. } => {
                format!("Name one of these by token= or serial=: {}.", present.join(", "))
            }
            Self::Pin { .. } => {
                "Check the PIN before the next try: the token locks itself after a few.".to_owned()
            }
            Self::PinLocked { .. } => {
                "Unlock it with its security officer's PIN, by the tool of its vendor.".to_owned()
            }
            Self::Key { found: 0, .. } => {
                "Check the label; license-tool keygen --pkcs11 makes such a key.".to_owned()
            }
            Self::Key { .. } => "Add id=%XX… to the URI, which tells them apart.".to_owned(),
            Self::Unfit { .. } => "Make a key by license-tool keygen --pkcs11.".to_owned(),
            Self::Exists { .. } => "Choose another label (object=).".to_owned(),
            Self::Call { .. } => "Check that the token is present and that its vendor's own tool \
                                  can use it."
                .to_owned(),
        }
    }

    pub(super) fn call(what: impl Into<String>) -> impl FnOnce(Error) -> Self {
        let what = what.into();
        move |error| Self::Call { what, said: said(&error) }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::from_error(error.code(), &error).with_next(error.next())
    }
}

/// What a module said, in few words: the sentences of the standard are paragraphs.
pub(super) fn said(error: &Error) -> String {
    match error {
        Error::LibraryLoading(error) => error.to_string(),
        Error::Pkcs11(RvError::VendorDefined(number), function) => {
            format!("{function:?} said {number:#x}, a code of its vendor")
        }
        Error::Pkcs11(value, function) => format!("{function:?} said {value:?}"),
        other => other.to_string(),
    }
}
