//! Header names of the contract, in the lower case in which HTTP libraries compare them.

/// The tenant in whose context the call is made. On every call.
pub const TENANT_ID: &str = "x-tenant-id";
/// The calling runtime. On every call but registration.
pub const RUNTIME_ID: &str = "x-runtime-id";
/// The contract version the caller speaks. On every call.
pub const CONTRACT_VERSION: &str = "x-contract-version";
/// Ties calls, events and log lines together. On every call; echoed in every answer.
pub const CORRELATION_ID: &str = "x-correlation-id";
/// `Bearer <runtime-token>`. On every call.
pub const AUTHORIZATION: &str = "authorization";
/// v0.2: makes a consuming check safe to repeat.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// v0.2: the answer was given before and is returned byte for byte.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 64;
/// Longest `X-Correlation-Id`, in bytes: it is stored with every event.
pub const CORRELATION_ID_MAX_BYTES: usize = 128;
