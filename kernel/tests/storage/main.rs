//! The storage, through its own doors: who is known, what is kept, and what a crash leaves.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod audit_alerts;
mod audit_branches;
mod audit_content;
mod audit_group;
mod audit_listing;
mod audit_missing;
mod audit_own;
mod audit_site;
mod audit_speed;
mod audit_usage;
mod registry_agents;
mod registry_durability;
mod registry_enrollment;
mod registry_group;
mod registry_identities;
mod registry_runtimes;
mod registry_tenants;
mod registry_tokens;
mod registry_values;
mod world;
