//! Any bytes as a typed form.

use farhold_bundle::{Envelope, decode_typed_form, encode_typed_form};

/// What is read back from a typed form is a line of the strict shape, and can be written again.
pub fn typed_form(bytes: &[u8]) {
    let Ok(line) = decode_typed_form(bytes) else { return };
    let opened = match Envelope::open(&line) {
        Ok(opened) => opened,
        // bundle.md §8.3.4: it goes the way of every line, also where that ends at once.
        Err(error) => {
            assert!(line.starts_with(br#"{"payload":"","#), "a typed form is an envelope: {error}");
            return;
        }
    };
    let text = encode_typed_form(&opened).expect("what was read can be written");
    assert_eq!(decode_typed_form(text.as_bytes()).expect("and read again"), line);
}
