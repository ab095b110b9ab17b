//! Root: the keys of an issuer, from the first root to the next one and the one after.
//!
//! A first root is made and signed in one go. Every later one is a [`Draft`] that people pass
//! between them: changed by [`next_root`], signed by one after the other, until it is complete.

mod change;
mod difference;
mod draft;
mod first;

pub(crate) use change::role_of;
pub use change::{Change, find_key, next_root};
pub use difference::{ChangedKey, Difference, differences};
pub use draft::Draft;
pub use first::{FirstKey, FirstRoot, first_root};
