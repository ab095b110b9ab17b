//! DSSE's pre-authentication encoding: what is signed.

/// `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in decimal bytes.
pub(crate) fn encode(media_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {media_type} {} ", media_type.len(), payload.len());
    let mut encoded = Vec::with_capacity(head.len() + payload.len());
    encoded.extend_from_slice(head.as_bytes());
    encoded.extend_from_slice(payload);
    encoded
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_protocols_own_example_encodes_as_it_states() {
        let encoded = super::encode("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
