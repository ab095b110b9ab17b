//! Exit codes of every verb of every tool (`specs/codes.md`, "Exit codes").

use serde::Serialize;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[repr(u8)]
pub enum Exit {
    /// The verb did what it was asked.
    Ok = 0,
    /// A defect of ours.
    Internal = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Verified, but refused: policy, tenant, mode, superseded.
    Refused = 4,
    /// Not verified: signature or trust.
    NotVerified = 5,
    /// The bytes are not what they should be.
    BadData = 65,
    /// What the verb needs does not answer.
    Unavailable = 69,
    /// The output can't be written.
    CannotWrite = 73,
    /// Try again: busy or locked now.
    TryAgain = 75,
    /// The configuration is wrong; a service manager must not restart on it.
    Configuration = 78,
}

impl Exit {
    /// Every exit code, in order.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::Internal,
        Self::Usage,
        Self::Refused,
        Self::NotVerified,
        Self::BadData,
        Self::Unavailable,
        Self::CannotWrite,
        Self::TryAgain,
        Self::Configuration,
    ];

    /// The number a process ends with.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// One sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Ok => "The verb did what it was asked.",
            Self::Internal => "A defect of ours.",
            Self::Usage => "The command line makes no sense.",
            Self::Refused => "Verified, but refused: policy, tenant, mode, superseded.",
            Self::NotVerified => "Not verified: signature or trust.",
            Self::BadData => "The bytes are not what they should be.",
            Self::Unavailable => "What the verb needs does not answer.",
            Self::CannotWrite => "The output can't be written.",
            Self::TryAgain => "Busy or locked now.",
            Self::Configuration => "The configuration or the state directory is wrong.",
        }
    }

    /// One next action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Ok => "Nothing.",
            Self::Internal => "Report it with the message and the version.",
            Self::Usage => "Read the verb's --help.",
            Self::Refused => "Read the code: the document is genuine, this site may not use it.",
            Self::NotVerified => "Get the file again from its issuer; never force it.",
            Self::BadData => "Check the file: truncated, re-wrapped or of another kind.",
            Self::Unavailable => "Start the agent, or check the path.",
            Self::CannotWrite => "Check space, rights, and that the file does not exist yet.",
            Self::TryAgain => "Wait and repeat.",
            Self::Configuration => "Run `farhold config check`; restarting won't help.",
        }
    }
}
