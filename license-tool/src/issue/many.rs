//! Many: a license for each row of a table.
//!
//! Two passes. The first reads every row, holds its license to every rule and looks it up in the
//! ledger: one mistake anywhere and nothing is signed. The second signs over all cores, enters
//! what was signed, and only then writes it. What was interrupted is run again: rows that the
//! ledger has already keep their serial, and only what is missing is written.

mod batch;
mod caster;
mod clerk;
mod column;
mod facts;
mod length;
mod mistake;
mod parallel;
mod plan;
mod press;
mod quotes;
mod run;
mod shelf;
mod table;
mod target;

pub use batch::{Batch, Checked, Desk};
pub(crate) use clerk::act;
pub use column::Columns;
pub use mistake::{Mistakes, RowMistake};
pub use plan::{Plan, plan};
pub use press::Press;
pub use run::{Outcome, run};
pub use shelf::{Shelf, file_name};
pub use table::{CSV_MAX_BYTES, Table};
