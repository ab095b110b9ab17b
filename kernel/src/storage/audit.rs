//! Audit: chains of records, each known by its device key, epoch, number and head (`bundle.md` §6).

mod branch;
mod cursor;
mod insert;
mod list;
mod own;
mod record;
mod take;

pub use branch::{BranchId, HeldBranch};
pub use cursor::{Cursor, CursorError};
pub use list::{AuditEntry, AuditPage, AuditQuery, DeadLetter, DeadLetterPage, HeldRecord, Order};
pub use own::{Appended, OwnRecord};
pub use record::{EventIdentity, Refused, TakenBody, TakenRecord};
pub use take::{Batch, Taken};

pub(super) use own::{append, open_own_chain};
