//! The machine on trees of files: what is read of it, how licenses hang on it, what it asks for.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

mod machine {
    mod bindings;
    mod by_memory;
    mod host;
    mod licenses;
    mod readings;
    mod releases;
    mod requests;
    mod tree;
    mod vendor;
}
