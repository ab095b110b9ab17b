//! What the ledger promises, claim by claim.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that can't set its stage has failed

mod chained;
mod desk;
mod issuing;
mod moving;
