//! The site in this process: what comes in, what is told of the future, and what time it is.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

mod site {
    mod clock;
    mod denials;
    mod drop_folder;
    mod dry_run;
    mod refusals;
    mod second_copy;
    mod trust;
    mod what_if;
}
