//! Outcome: what a call to the Kernel came to, before it is judged.

use std::time::Duration;

use farhold_contract::Code;

/// A call that an agent makes to its Kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// `POST /kernel/agents/enroll`.
    Enroll,
    /// `POST /kernel/agents/{runtime_id}/certificate`.
    Renew,
    /// `POST /kernel/runtimes/register`, for a runtime of the site.
    Register,
    /// `POST /kernel/runtimes/{runtime_id}/heartbeat`, with a report.
    Heartbeat,
    /// `GET /kernel/agents/{runtime_id}/bundle`.
    Pull,
    /// `POST /kernel/audit/batches`.
    Push,
    /// `POST /kernel/identity/resolve`, handed on for a runtime.
    Resolve,
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 7] = [
        Self::Enroll,
        Self::Renew,
        Self::Register,
        Self::Heartbeat,
        Self::Pull,
        Self::Push,
        Self::Resolve,
    ];
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is no answer that could be the Kernel's.
    Failed(Failure),
    /// An HTTP answer. A success whose body is not the contract's is [`Failure::Malformed`].
    Answered {
        /// The HTTP status.
        status: u16,
        /// The problem's code; `None` if there is none, or none this version knows.
        code: Option<Code>,
        /// What [`crate::retry_after`] read; bounded when it is judged.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// An answer without a problem.
    pub const fn answered(status: u16) -> Self {
        Self::Answered { status, code: None, retry_after: None }
    }

    /// An answer with a problem.
    pub const fn problem(code: Code) -> Self {
        Self::Answered { status: code.status(), code: Some(code), retry_after: None }
    }
}

/// Why there is no answer that could be the Kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Failure {
    /// Nobody listens there.
    #[error("the connection was refused")]
    Refused,
    /// The name is not found, or no resolver answers.
    #[error("the name could not be resolved")]
    Unresolved,
    /// No answer in time: a black hole, a half-open connection, or one byte a minute.
    #[error("no answer came in time")]
    TimedOut,
    /// The connection ended before the answer did.
    #[error("the connection broke")]
    Reset,
    /// The server's certificate does not lead to the pinned CA, has ended, or names another host.
    #[error("the server's certificate is not the Kernel's")]
    Untrusted,
    /// The server rejected our certificate in the handshake.
    #[error("the Kernel rejected the agent's certificate")]
    CertificateRejected,
    /// The server, or our own look at it, says that our certificate has ended.
    #[error("the agent's certificate has ended")]
    CertificateExpired,
    /// The proxy does not let us through.
    #[error("the proxy refused the connection")]
    Proxy,
    /// The proxy wants to know who we are (407).
    #[error("the proxy asks for credentials")]
    ProxyCredentials,
    /// Whatever answered does not speak the contract: a portal's page, a truncated body, a
    /// redirect.
    #[error("the answer is not what the contract says")]
    Malformed,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 10] = [
        Self::Refused,
        Self::Unresolved,
        Self::TimedOut,
        Self::Reset,
        Self::Untrusted,
        Self::CertificateRejected,
        Self::CertificateExpired,
        Self::Proxy,
        Self::ProxyCredentials,
        Self::Malformed,
    ];

    /// The code of the closed list that says it to people.
    pub const fn code(self) -> Code {
        match self {
            Self::Refused
            | Self::Unresolved
            | Self::TimedOut
            | Self::Reset
            | Self::Proxy
            | Self::ProxyCredentials => Code::KernelUnreachable,
            Self::Untrusted => Code::KernelUntrusted,
            Self::CertificateRejected | Self::CertificateExpired => Code::CertificateUnknown,
            Self::Malformed => Code::KernelAnswer,
        }
    }
}
