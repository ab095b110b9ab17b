//! PKCS#11: keys in hardware, or in what stands for it.
//!
//! A key is named by a URI (RFC 7512). The token keeps the private half; the public half is read
//! from it, and every signature is verified before it is used. A PIN is tried once and on one
//! token alone: a token locks itself after a few wrong ones.

mod error;
mod module;
mod object;
mod signer;
mod uri;

pub use error::TokenError;
pub use module::{Modules, Session};
pub use object::{create, load};
pub use signer::TokenSigner;
pub use uri::{Uri, UriError};
