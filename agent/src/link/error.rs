//! What can go wrong between the agent and the Kernel, in words that say what to do.

use std::{fmt, sync::Arc, time::Duration};

use farhold_contract::Code;
use farhold_sync::{Failure, Outcome};

use super::{answer::ProblemAnswer, dns::DnsError, untrusted::Untrusted};

/// A call that did not come back with what it asked for. It holds no secret and no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkError {
    /// The Kernel, `host:port`.
    pub kernel: Arc<str>,
    /// The proxy that the call went through, `host:port`.
    pub proxy: Option<Arc<str>>,
    /// What went wrong.
    pub failure: LinkFailure,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkFailure {
    /// What is configured can't be used.
    Settings {
        /// Why not.
        reason: String,
    },
    /// What the agent shows the Kernel can't be used.
    Identity {
        /// Why not.
        reason: String,
    },
    /// A name has no address.
    Dns(DnsError),
    /// Nobody listens at the address.
    Refused,
    /// There is no way to the address.
    Unreachable,
    /// It took too long.
    TimedOut {
        /// Until when.
        phase: Phase,
        /// The time it had.
        within: Duration,
    },
    /// The connection ended in the middle.
    Reset,
    /// The proxy does not pass the connection on.
    Proxy {
        /// Its answer's status, where it is known.
        status: Option<u16>,
    },
    /// Whoever answered is not the Kernel.
    Untrusted(Untrusted),
    /// The Kernel does not take the agent's certificate.
    CertificateRejected {
        /// The TLS alert.
        alert: String,
    },
    /// The Kernel says that the agent's certificate has ended.
    CertificateExpired,
    /// No TLS connection came about.
    Tls {
        /// Why not.
        reason: String,
    },
    /// The answer points elsewhere; that is never followed.
    Redirected {
        /// The status.
        status: u16,
        /// Where to: a host, or what was written.
        to: String,
    },
    /// The answer is not what the contract says.
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is larger than is read.
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// The answer's trust root is not the token's.
    RootMismatch,
    /// The Kernel refused.
    Problem(Box<ProblemAnswer>),
    /// The system said something else.
    Other {
        /// What.
        reason: String,
    },
}

/// What was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A connection, with its name resolved and its TLS done.
    Connection,
    /// The whole answer.
    Answer,
}

impl LinkError {
    /// The code of the closed list: the Kernel's own where it refused.
    pub fn code(&self) -> Code {
        match &self.failure {
            LinkFailure::Settings { .. } => Code::ConfigInvalid,
            LinkFailure::Identity { .. } => Code::StateUnusable,
            LinkFailure::Dns(_)
            | LinkFailure::Refused
            | LinkFailure::Unreachable
            | LinkFailure::TimedOut { .. }
            | LinkFailure::Reset
            | LinkFailure::Proxy { .. }
            | LinkFailure::Other { .. } => Code::KernelUnreachable,
            LinkFailure::Untrusted(_) => Code::KernelUntrusted,
            LinkFailure::CertificateRejected { .. } | LinkFailure::CertificateExpired => {
                Code::CertificateUnknown
            }
            LinkFailure::Tls { .. }
            | LinkFailure::Redirected { .. }
            | LinkFailure::Malformed { .. }
            | LinkFailure::TooLarge { .. } => Code::KernelAnswer,
            LinkFailure::RootMismatch => Code::TrustHash,
            LinkFailure::Problem(problem) => problem.code.unwrap_or(if problem.is_passing() {
                Code::KernelUnreachable
            } else {
                Code::KernelAnswer
            }),
        }
    }

    /// What to do.
    pub fn action(&self) -> &'static str {
        match &self.failure {
            LinkFailure::Settings { .. } => {
                "Correct the setting; farhold config check verifies it."
            }
            LinkFailure::Identity { .. } => "Enroll again with a new token.",
            LinkFailure::Dns(_) => {
                "Check the name in the Kernel's URL, /etc/resolv.conf and the name server."
            }
            LinkFailure::Refused | LinkFailure::Unreachable if self.proxy.is_some() => {
                "Check the proxy's address and port, and the firewall on the way to it."
            }
            LinkFailure::Refused => {
                "Check address and port in the Kernel's URL, and whether the Kernel runs."
            }
            LinkFailure::Unreachable => {
                "Check the network, the route and the firewall to the Kernel's address."
            }
            LinkFailure::TimedOut { .. } => {
                "Check firewall, proxy and line on the way to the Kernel."
            }
            LinkFailure::Reset => {
                "Repeat; if it stays, check firewall and proxy on the way to the Kernel."
            }
            LinkFailure::Proxy { status: Some(407) } => {
                "Give the proxy's user and password: link.proxy_user, link.proxy_password_file."
            }
            LinkFailure::Proxy { .. } => {
                "Have the proxy allow CONNECT to the Kernel's host and port."
            }
            LinkFailure::Untrusted(reason) => reason.action(),
            LinkFailure::CertificateRejected { .. } | LinkFailure::CertificateExpired => {
                "It is renewed by the device key; if that is refused too, ask the vendor."
            }
            LinkFailure::Tls { .. } => {
                "Check the port in the Kernel's URL, and what answers there."
            }
            LinkFailure::Redirected { .. }
            | LinkFailure::Malformed { .. }
            | LinkFailure::TooLarge { .. } => Code::KernelAnswer.action(),
            LinkFailure::RootMismatch => Code::TrustHash.action(),
            LinkFailure::Problem(_) => self.code().action(),
            LinkFailure::Other { .. } => Code::KernelUnreachable.action(),
        }
    }

    /// What the call came to, as the sync machines judge it.
    pub fn outcome(&self) -> Outcome {
        Outcome::Failed(match &self.failure {
            LinkFailure::Problem(problem) => {
                let ProblemAnswer { status, code, retry_after, .. } = **problem;
                return Outcome::Answered { status, code, retry_after };
            }
            LinkFailure::Dns(_) => Failure::Unresolved,
            LinkFailure::Refused | LinkFailure::Unreachable => Failure::Refused,
            LinkFailure::TimedOut { .. } => Failure::TimedOut,
            LinkFailure::Reset | LinkFailure::Other { .. } => Failure::Reset,
            LinkFailure::Proxy { status: Some(407) } => Failure::ProxyCredentials,
            LinkFailure::Proxy { .. } | LinkFailure::Settings { .. } => Failure::Proxy,
            LinkFailure::Untrusted(_) | LinkFailure::RootMismatch => Failure::Untrusted,
            // What can't be shown is renewed like what is not taken.
            LinkFailure::CertificateRejected { .. } | LinkFailure::Identity { .. } => {
                Failure::CertificateRejected
            }
            LinkFailure::CertificateExpired => Failure::CertificateExpired,
            LinkFailure::Tls { .. }
            | LinkFailure::Redirected { .. }
            | LinkFailure::Malformed { .. }
            | LinkFailure::TooLarge { .. } => Failure::Malformed,
        })
    }

    /// How long the Kernel asks to wait; never more than an hour.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.failure {
            LinkFailure::Problem(problem) => problem.retry_after,
            _ => None,
        }
    }

    /// Whether someone between here and the Kernel opens the connection.
    pub fn is_intercepted(&self) -> bool {
        matches!(self.failure, LinkFailure::Untrusted(Untrusted::Intercepted { .. }))
    }

    fn peer(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("the proxy {proxy}"),
            None => self.kernel.to_string(),
        }
    }
}

impl std::error::Error for LinkError {}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel, failure, .. } = self;
        match failure {
            LinkFailure::Settings { reason } | LinkFailure::Identity { reason } => {
                write!(f, "{kernel} can't be called: {reason}")
            }
            LinkFailure::Dns(error) => error.fmt(f),
            LinkFailure::Refused => write!(f, "{} refuses the connection", self.peer()),
            LinkFailure::Unreachable => write!(f, "there is no route to {}", self.peer()),
            LinkFailure::TimedOut { phase: Phase::Connection, within } => {
                write!(f, "no connection to {} within {within:?}", self.peer())
            }
            LinkFailure::TimedOut { phase: Phase::Answer, within } => {
                write!(f, "no whole answer from {kernel} within {within:?}")
            }
            LinkFailure::Reset => {
                write!(f, "the connection to {} ended in the middle", self.peer())
            }
            LinkFailure::Proxy { status: Some(407) } => {
                write!(f, "{} asks for a user and a password, or refuses those given", self.peer())
            }
            LinkFailure::Proxy { status: Some(status) } => {
                write!(f, "{} answered {status} to CONNECT {kernel}", self.peer())
            }
            LinkFailure::Proxy { status: None } => {
                write!(f, "{} does not pass a connection to {kernel} on", self.peer())
            }
            LinkFailure::Untrusted(reason) => write!(f, "{kernel} is not trusted: {reason}"),
            LinkFailure::CertificateRejected { alert } => {
                write!(f, "{kernel} does not take the agent's certificate (TLS alert {alert})")
            }
            LinkFailure::CertificateExpired => {
                write!(f, "{kernel} says that the agent's certificate has ended")
            }
            LinkFailure::Tls { reason } => write!(f, "no TLS connection to {kernel}: {reason}"),
            LinkFailure::Redirected { status, to } => {
                write!(f, "{kernel} answered {status} and points to {to}, which is not followed")
            }
            LinkFailure::Malformed { reason } => {
                write!(f, "{kernel} gave an answer that is not the Kernel's: {reason}")
            }
            LinkFailure::TooLarge { limit } => {
                write!(f, "the answer of {kernel} is larger than {limit} bytes")
            }
            LinkFailure::RootMismatch => {
                write!(f, "the trust root that {kernel} gave is not the one the token names")
            }
            LinkFailure::Problem(problem) => write!(f, "{kernel} refused: {problem}"),
            LinkFailure::Other { reason } => {
                write!(f, "the call to {kernel} failed: {reason}")
            }
        }
    }
}
