//! Arguments: values that verbs of more than one program take.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use farhold_contract::{Code, Sha256Digest, model::RuntimeType};

use crate::failure::Failure;

/// A type of runtime, by its name in the contract.
pub fn runtime_type() -> impl TypedValueParser<Value = RuntimeType> {
    PossibleValuesParser::new(RuntimeType::ALL.map(RuntimeType::as_str)).map(|text| {
        RuntimeType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .expect("the parser passes only these")
    })
}

/// The value of `--sha256`; where it is none, `next_action` says how to come by it.
///
/// # Errors
/// `usage.invalid`.
pub fn sha256(given: &str, next_action: &str) -> Result<Sha256Digest, Failure> {
    // Tools print it in either case; it is compared as bytes.
    given.trim().to_ascii_lowercase().parse().map_err(|error| {
        Failure::new(Code::UsageInvalid, format!("--sha256 {given}"))
            .because(error)
            .action(next_action)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_taken_in_either_case_and_nothing_else_is() {
        let digits = "AB".repeat(32);
        assert_eq!(sha256(&format!(" {digits}\n"), "").unwrap().to_string(), "ab".repeat(32));
        let refused = sha256("ab", "Ask the vendor.").unwrap_err();
        assert_eq!(refused.next_action(), Some("Ask the vendor."));
    }
}
