//! Any bytes as one line.

use farhold_bundle::{Envelope, LIMITS, decode_typed_form, encode_typed_form};

/// A line that opens is the one spelling of what it says.
pub fn envelope(bytes: &[u8]) {
    let Ok(opened) = Envelope::open(bytes) else { return };
    assert_eq!(opened.line(), bytes, "an opened line is what was read");
    assert!(bytes.len() <= LIMITS.envelope_bytes, "nothing longer is read");
    let signatures = opened.key_ids().count();
    assert!((1..=LIMITS.signatures).contains(&signatures), "{signatures} signatures");
    if let Ok(text) = encode_typed_form(&opened) {
        let line = decode_typed_form(text.as_bytes()).expect("what was written can be read");
        assert_eq!(line, bytes, "the typed form loses nothing");
    }
}
