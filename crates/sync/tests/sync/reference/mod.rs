//! A Kernel and a site, as plain as they can be: a set of records and a list of them.

mod kernel;
mod network;
mod site;

pub use kernel::{Batch, Kernel};
pub use network::{Fate, Network, Weather};
pub use site::{EPOCH, Site};
