//! A Kernel in a test: the real `farhold-kernel`, its administrator, and sites that enroll at it.
//!
//! Tests read like a story:
//!
//! ```no_run
//! use farhold_contract::{mode::Mode, model::RuntimeType::Courses};
//! use farhold_tests::{kernel_process::{Kernel, LinkedSite}, site::{TENANT, Vendor}};
//!
//! let vendor = Vendor::new();
//! let mut kernel = Kernel::start(&vendor);
//! kernel.has_tenant(TENANT).holds(&vendor.license(|l| l.managed().feature("export")));
//! let mut site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
//! let courses = site.runtime(Courses).registered();
//! site.comes_online(&courses, "export");
//! courses.check("export").allowed().mode(Mode::Online);
//! kernel.killed();
//! courses.check("export").allowed();
//! ```
//!
//! A Kernel that logged an error its test did not expect fails that test, as a site does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod administrator;
mod intake;
mod kernel;
mod linked_site;
mod plan;

pub use administrator::EnrollmentToken;
pub use intake::Intake;
pub use kernel::Kernel;
pub use linked_site::LinkedSite;
pub use plan::KernelPlan;
