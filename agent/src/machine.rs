//! The machine: what it is known by, read from the system, kept only as salted hashes.
//!
//! [`Machine::look`] reads every component once. [`Memory`] keeps the hash of each as it was read
//! last, and since when it has changed; [`MachineState`] is what follows for the site: the
//! fingerprint that licenses are held to (`bundle.md` §7.2). A component that can't be read is
//! unknown, never changed: what it was when it was read last stands in for it.
//!
//! Raw values stay in a [`Look`], which is neither written nor logged nor sent. Root can lie about
//! all of it; this tells an honest operator's machines apart, and makes a copy evident.

mod bound;
mod by_memory;
mod cloud_instance_id;
mod cluster_id;
mod cpu_model;
mod disk_root;
mod dmi;
mod dmi_product_uuid;
mod environment;
mod kept;
mod look;
mod machine_id;
mod memory;
mod nic;
mod reading;
mod recommendation;
mod salt;
mod state;
mod system;

pub use bound::{Bound, beside, binding_of, bound_licenses, drift};
pub use by_memory::{by_memory, held_by_memory};
pub use environment::{Environment, Surroundings};
pub use kept::{COPY, Found, Kept, MACHINE, RELEASED, Released};
pub use look::Look;
pub use memory::{Known, Memory, Presence};
pub use reading::{RawValue, Reading};
pub use recommendation::{Recommendation, recommend};
pub use salt::Salt;
pub use state::{MachineState, Observed, component_named};
pub use system::Machine;
