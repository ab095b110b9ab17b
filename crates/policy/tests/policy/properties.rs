//! Properties under random documents, clocks and machines, against the naive model.

mod changes;
mod decisions;
mod foreseen;
mod time;
mod windows;
