//! Why whoever answered is not taken for the Kernel, in words that say what to do.

use farhold_contract::Timestamp;

/// Why whoever answered is not taken for the Kernel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// Nothing it presented has to do with the pinned CA: someone opens the connection.
    #[error(
        "the server presented issuer {issuer}, expected {expected}: something between here and the Kernel opens the TLS connection"
    )]
    Intercepted {
        /// Who issued what was presented.
        issuer: String,
        /// Whom the pin names.
        expected: String,
    },
    /// It names the pinned CA and was not signed by it.
    #[error(
        "the server's certificate names {issuer} as its issuer and was not signed by the pinned key of that name"
    )]
    NotSigned {
        /// The name.
        issuer: String,
    },
    /// Its certificate, or one on the way to the CA, has ended.
    #[error("the server's certificate ended {not_after}, and it is {now} by this machine's clock")]
    Expired {
        /// The end.
        not_after: Timestamp,
        /// The local clock.
        now: Timestamp,
    },
    /// Its certificate, or one on the way to the CA, has not begun.
    #[error(
        "the server's certificate begins {not_before}, and it is {now} by this machine's clock"
    )]
    NotBegun {
        /// The beginning.
        not_before: Timestamp,
        /// The local clock.
        now: Timestamp,
    },
    /// The pinned CA itself does not hold now.
    #[error(
        "the pinned CA {subject} holds from {not_before} to {not_after}, and it is {now} by this machine's clock"
    )]
    AnchorOutOfDate {
        /// The CA.
        subject: String,
        /// Its beginning.
        not_before: Timestamp,
        /// Its end.
        not_after: Timestamp,
        /// The local clock.
        now: Timestamp,
    },
    /// It is for another host.
    #[error("the server's certificate is for {presented}, not for {expected}")]
    WrongHost {
        /// The host of the Kernel's URL.
        expected: String,
        /// The hosts it is for.
        presented: String,
    },
    /// It breaks another rule.
    #[error("the server's certificate does not hold: {reason}")]
    Other {
        /// Which.
        reason: String,
    },
}

impl Untrusted {
    /// What to do.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Intercepted { .. } => {
                "Exempt the Kernel's address from TLS inspection, or check the URL and the token with the vendor."
            }
            Self::NotSigned { .. } => {
                "Check the URL; if the vendor made a new CA of the same name, enroll anew."
            }
            Self::Expired { .. } | Self::NotBegun { .. } | Self::AnchorOutOfDate { .. } => {
                "Check this machine's clock first; if it is right, tell the vendor."
            }
            Self::WrongHost { .. } => "Check the Kernel's URL and the name's address.",
            Self::Other { .. } => "Tell the vendor.",
        }
    }
}
