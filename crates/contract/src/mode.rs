//! The mode of a decision: how fresh and how whole the word behind it is.

use serde::{Deserialize, Serialize};

/// The first that applies, in this order (contract v0.2, "mode").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No verified document speaks for the feature, or it ended, is revoked or suspended.
    None,
    /// Past the grace: what is registered keeps what it had, nothing new begins.
    Restricted,
    /// Past the signed end, inside the grace: everything works.
    Grace,
    /// No heartbeat was accepted for three polls; always so at a detached site.
    Offline,
    /// The Kernel's last answer is fresh.
    Online,
}

impl Mode {
    /// The mode as answers write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Restricted => "restricted",
            Self::Grace => "grace",
            Self::Offline => "offline",
            Self::Online => "online",
        }
    }
}
