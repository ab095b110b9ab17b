//! What is refused before it is parsed.

/// Bounds on hostile input, each with its reason.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest envelope line in bytes: a license of 10,000 entitlements is about 1.5 MiB.
    pub envelope_bytes: usize,
    /// Largest bundle in bytes: it is held in memory while one transaction applies it.
    pub bundle_bytes: usize,
    /// Most lines in a bundle: every line may cost 16 signature checks.
    pub bundle_lines: usize,
    /// Deepest nesting of a payload's JSON: the walk uses the stack.
    pub json_depth: usize,
    /// Most steps of the root chain in one import; a site further behind imports twice.
    pub root_steps: usize,
    /// Most signatures on one envelope.
    pub signatures: usize,
    /// Largest payload in typed form once inflated, in bytes: a small code must not inflate hugely.
    pub typed_form_bytes: usize,
    /// Most components of a machine in a request or a binding: more than any machine has. Each is
    /// compared with each, and all of them stand on one line of the vendor's ledger.
    pub components: usize,
    /// Most licenses that a request names: each may be a warning to whoever answers it.
    pub request_licenses: usize,
    /// Most entries of use in a request: as many as a large license has entitlements.
    pub request_usage: usize,
}

/// The limits of the format (`specs/bundle.md` §1.1, §4.1, §7.1).
pub const LIMITS: Limits = Limits {
    envelope_bytes: 4 * 1024 * 1024,
    bundle_bytes: 16 * 1024 * 1024,
    bundle_lines: 256,
    json_depth: 16,
    root_steps: 64,
    signatures: 16,
    typed_form_bytes: 64 * 1024,
    components: 64,
    request_licenses: 1024,
    request_usage: 10_000,
};
