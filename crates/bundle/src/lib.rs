//! Signed documents: bytes to verified documents, and back.
//!
//! Data runs one way through this crate: a line is opened into an [`Envelope`], proven by the
//! keys of a role into [`Proven`] bytes, and parsed into a [`Verified`] payload. Each step
//! consumes the one before it, so unverified content cannot be reached by accident. The rules
//! are `specs/bundle.md`; comments cite its steps.
#![forbid(unsafe_code)]

mod base44;
mod critical;
mod device;
mod envelope;
mod error;
mod fingerprint;
mod import;
mod key;
mod limits;
mod lines;
mod number;
mod pae;
pub mod payload;
mod period;
mod seal;
mod signer;
mod standing;
pub mod strict_json;
mod threshold;
mod trust;
mod typed_form;
mod verified;

pub use device::verify_device_document;
pub use envelope::Envelope;
pub use error::{EnvelopeError, PayloadError, RefusalReason, SignatureError, Unsigned};
pub use fingerprint::{Comparison, ComponentState, component_family, component_hash};
pub use import::{ImportPlan, ImportRefusal, LineOutcome, PlannedLine, SiteFacts, plan_import};
pub use key::{KeyId, PublicKey, WeakKey};
pub use limits::{LIMITS, Limits};
pub use number::{Positive, Whole};
pub use payload::{DocumentType, Role};
pub use period::Period;
pub use seal::{Draft, add_signature, seal};
pub use signer::Signer;
pub use standing::{LineKey, SetAside, Standing};
pub use trust::TrustRoot;
pub use typed_form::{decode_typed_form, encode_typed_form, is_typed_form};
pub use verified::{Proven, Verified};
