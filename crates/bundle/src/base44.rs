//! RFC 9285's scheme without its blank: what is left of QR's alphanumeric set when every kind of
//! white space must be free to come and go. 44³ > 2¹⁶, so it is as short as base45.

const DIGITS: &[u8; 44] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:";

/// Two bytes become three digits, least significant first; a single last byte becomes two.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for pair in bytes.chunks(2) {
        let (mut number, digits) = match *pair {
            [high, low] => (usize::from(high) << 8 | usize::from(low), 3),
            [byte] => (usize::from(byte), 2),
            _ => unreachable!("chunks of two hold one or two"),
        };
        for _ in 0..digits {
            text.push(char::from(DIGITS[number % 44]));
            number /= 44;
        }
    }
    text
}

/// The bytes; `None` for a foreign character, a group that is too large, or a lone last digit.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for group in text.chunks(3) {
        let mut number = 0;
        for &character in group.iter().rev() {
            number = number * 44 + DIGITS.iter().position(|&digit| digit == character)?;
        }
        match group.len() {
            3 => bytes.extend_from_slice(&u16::try_from(number).ok()?.to_be_bytes()),
            2 => bytes.push(u8::try_from(number).ok()?),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_no_digit_is_white_space() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).chain([7]).collect();
        for length in 0..all.len() {
            let text = encode(&all[..length]);
            assert!(text.bytes().all(|digit| digit.is_ascii_graphic()));
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(&all[..length]));
        }
    }

    #[test]
    fn groups_that_encode_nothing_are_refused() {
        for bad in ["A", "ABCD", ":::", "::", "AB ", "ab0", "A_0"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
