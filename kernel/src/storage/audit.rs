//! Audit: chains of records, each known by its device key, epoch, number and head (`bundle.md` §6).

mod branch;
mod chain;
mod cursor;
mod dead_letter;
mod entry;
mod held;
mod insert;
mod missing;
mod number;
mod own;
mod record;
mod take;

pub use branch::{BranchId, HeldBranch};
pub use cursor::{Cursor, CursorError};
pub use dead_letter::{DeadLetter, DeadLetterPage};
pub use entry::{AuditEntry, AuditPage, AuditQuery, Order};
pub use held::HeldRecord;
pub use missing::MissingRun;
pub use own::{Appended, OwnRecord};
pub use record::{EventIdentity, Refused, TakenBody, TakenRecord};
pub use take::{Batch, Taken};

pub(super) use own::{append, open_own_chain};
