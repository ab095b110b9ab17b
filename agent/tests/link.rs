//! The link against real TLS servers, proxies and name servers, all of them made here.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

mod link {
    mod answers;
    mod ca_replaced;
    mod calls;
    mod dns;
    mod enroll;
    mod enrollment;
    mod proxy;
    mod renew;
    mod support;
    mod trust;
}
