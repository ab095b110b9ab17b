//! The Kernel Contract over HTTP, once.
//!
//! A call's headers become a [`Call`], its body is read within [`Limits`], and one of the
//! contract's handlers hands both to a [`Kernel`]: the agent at a site, or the Kernel itself.
//! What it refuses, a [`Refusal`], leaves as `application/problem+json`. [`serve`] is the server
//! loop under both.
//!
//! Nothing here decides anything: who may call is the [`Kernel`]'s to say, from the token or the
//! client certificate alone, and so is every answer. This crate checks that headers, path and body
//! agree with it.
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr, clippy::print_stdout, reason = "a library has no terminal")]

mod answer;
mod answers;
mod bell;
mod body;
mod call;
mod credentials;
mod flags;
mod handler;
mod idempotency;
mod kernel;
mod limits;
mod listener;
mod refusal;
mod router;
mod server;
mod slots;
mod stream;
mod tagged;
mod watch;

pub use answer::{answer, json};
pub use answers::{Answers, CheckFirst};
pub use body::{parse, present, read};
pub use call::{Call, Holder, Principal, RuntimeHeader};
pub use credentials::{ClientCertificate, Credentials};
pub use flags::{FlagsMemo, FlagsReply};
pub use idempotency::{Idempotency, IdempotencyKey};
pub use kernel::{CheckQuestion, CheckReply, Kernel};
pub use limits::Limits;
pub use listener::{Greeted, Greeter, Listener, Plain};
pub use refusal::Refusal;
pub use router::{calls, refusing_the_rest, routes};
pub use server::serve;
pub use slots::Slots;
pub use tagged::tagged;
