//! Properties under random documents, clocks and machines, against the naive model.

mod decisions;
mod time;
mod windows;
