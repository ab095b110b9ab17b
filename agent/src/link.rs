//! The link to the Kernel: the network shell that the uplink calls.
//!
//! A call runs down these files: [`KernelClient`] knows the contract's calls, `wire` sends one and
//! bounds its answer, `tls` and `pinned` trust the pinned CA alone, [`SystemResolver`] finds the
//! name, [`ProxySettings`] the way out. What can go wrong on that way is one [`LinkError`].
//! [`enroll`] and [`renew`] make and keep the agent's standing, an [`Enrollment`]. Nothing here
//! knows the store or decides when to call.

mod answer;
mod certificate;
mod client;
mod dns;
mod enroll;
mod enrollment;
mod error;
mod failure;
mod key_pair;
mod pinned;
mod proxy;
mod renew;
mod settings;
mod tls;
mod untrusted;
mod wire;

pub use answer::ProblemAnswer;
pub use certificate::{CertificateError, CertificateFacts};
pub use client::{KernelClient, Pulled, Pushed};
pub use dns::{DnsError, ResolverFiles, SystemResolver};
pub use enroll::{Enrolled, enroll};
pub use enrollment::{ClientIdentity, ENROLLMENT_FILE, Enrollment, EnrollmentError};
pub use error::{LinkError, LinkFailure, Phase};
pub use key_pair::TlsKeyPair;
pub use pinned::Anchors;
pub use proxy::{ChosenProxy, ProxyError, ProxySettings};
pub use renew::renew;
pub use settings::{AnswerLimits, LinkSettings, Timeouts};
pub use untrusted::Untrusted;
