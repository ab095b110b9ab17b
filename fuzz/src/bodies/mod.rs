//! The bodies of the fuzz targets. Each takes any bytes, must end, and must not panic but where a
//! claim of its own fails.
//!
//! `tests/tests/corpora.rs` replays the committed corpora through the same functions.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a claim that fails must stop")]
#![allow(unreachable_pub, reason = "public to the targets, private to the test that replays")]

use std::sync::LazyLock;

use farhold_bundle::TrustRoot;
use support::{Key, Vendor};

mod envelope;
mod import;
mod payload;
mod request;
#[path = "../../../crates/bundle/tests/support/mod.rs"]
pub mod support;
mod typed_form;

pub use envelope::envelope;
pub use import::import;
pub use payload::{TYPES, payload};
pub use request::request;
pub use typed_form::typed_form;

/// Who issues everything here, and what stands at the site: made once, for speed.
static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::new(1));
static ROOT: LazyLock<TrustRoot> =
    LazyLock::new(|| TrustRoot::install(&VENDOR.root_line(), None).expect("its own root"));
static DEVICE: LazyLock<Key> = LazyLock::new(support::device);

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("envelope", envelope),
    ("payload", payload),
    ("typed_form", typed_form),
    ("import", import),
    ("request", request),
];
