//! The five models of contract v0.1, and the bounds on what they hold.

mod audit_event;
mod entitlement;
mod identity;
mod runtime;
mod tenant;

pub use audit_event::{ActorType, AuditEvent};
pub use entitlement::{Entitlement, Limits};
pub use identity::{Identity, Provider};
pub use runtime::{DeploymentMode, Runtime, RuntimeStatus, RuntimeType};
pub use tenant::{Policies, SecurityLevel, Tenant, TenantStatus, TenantType};
