//! The queue and the doors at their limits: full, damaged, flooded, restored; and who knocks at
//! the Kernel.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod backlog;
mod damage;
mod failing_disk;
mod files;
mod filesystem;
mod flood;
mod full_disk;
mod kernel_callers;
mod kernel_doors;
mod kernel_restored;
mod local_doors;
mod receipts;
#[path = "../link/stage.rs"]
#[allow(dead_code, reason = "the stories of the link use the rest")]
mod stage;
