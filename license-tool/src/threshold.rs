//! Threshold: whether enough different keys have signed, by what is known of who did.
//!
//! No signature is verified here: `farhold_bundle` counts those that it proves.

use std::collections::BTreeSet;

use farhold_bundle::{KeyId, Positive, payload::RoleKeys};

/// Whether a role's keys among these are enough; others do not count.
pub fn is_met(role: &RoleKeys, signers: &BTreeSet<KeyId>) -> bool {
    let counting = role.key_ids.iter().filter(|key| signers.contains(key));
    is_reached(role.threshold, &counting.copied().collect())
}

/// Whether these are enough and all of the role, as a site asks of a line (`bundle.md` §1.4).
pub fn is_proof(role: &RoleKeys, signers: &BTreeSet<KeyId>) -> bool {
    signers.iter().all(|key| role.key_ids.contains(key)) && is_reached(role.threshold, signers)
}

/// Whether so many have signed.
pub fn is_reached(threshold: Positive, signers: &BTreeSet<KeyId>) -> bool {
    signers.len() as u64 >= threshold.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> KeyId {
        format!("{byte:02x}").repeat(32).parse().unwrap()
    }

    fn two_of_three() -> RoleKeys {
        RoleKeys { key_ids: vec![key(1), key(2), key(3)], threshold: Positive::new(2).unwrap() }
    }

    #[test]
    fn only_the_roles_own_keys_count() {
        let role = two_of_three();
        assert!(is_met(&role, &[key(1), key(3)].into()));
        assert!(!is_met(&role, &[key(1), key(4)].into()));
        assert!(!is_met(&role, &[key(1)].into()));
    }

    #[test]
    fn a_proof_has_no_key_of_others() {
        let role = two_of_three();
        assert!(is_proof(&role, &[key(1), key(2)].into()));
        assert!(is_met(&role, &[key(1), key(2), key(4)].into()));
        assert!(!is_proof(&role, &[key(1), key(2), key(4)].into()));
    }

    #[test]
    fn a_key_that_is_named_twice_is_one() {
        let named = [key(1), key(1)];
        assert!(!is_proof(&two_of_three(), &named.into_iter().collect()));
    }
}
