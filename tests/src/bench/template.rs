//! Template: bytes with places that are new each time they are sent.

use std::ops::Range;

use uuid::Uuid;

/// Stands for an event id that nobody has sent before.
pub(super) const NEW_ID: &str = "00000000-0000-7000-8000-00000000new1";
/// Stands for one random character of base64.
pub(super) const NOISE: char = '~';

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes with places that are new each time.
#[derive(Debug, Clone)]
pub(super) struct Template {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    noise: Vec<Range<usize>>,
    state: u64,
}

impl Template {
    /// [`NEW_ID`] and [`NOISE`] in the text are made anew by each [`Template::renew`].
    pub(super) fn new(text: String) -> Self {
        let ids = text.match_indices(NEW_ID).map(|(at, _)| at).collect();
        let mut noise: Vec<Range<usize>> = Vec::new();
        for (at, _) in text.match_indices(NOISE) {
            match noise.last_mut() {
                Some(run) if run.end == at => run.end += 1,
                _ => noise.push(at..at + 1),
            }
        }
        let (_, state) = Uuid::now_v7().as_u64_pair();
        Self { bytes: text.into_bytes(), ids, noise, state }
    }

    /// The bytes with new ids and other noise.
    pub(super) fn renew(&mut self) -> &[u8] {
        for &at in &self.ids {
            let id = &mut self.bytes[at..at + NEW_ID.len()];
            Uuid::now_v7().hyphenated().encode_lower(id);
        }
        let Self { bytes, noise, state, .. } = self;
        for run in noise {
            // Ten characters of six bits out of one number.
            for characters in bytes[run.clone()].chunks_mut(10) {
                let mut number = random(state);
                for character in characters {
                    *character = BASE64[(number & 63) as usize];
                    number >>= 6;
                }
            }
        }
        &self.bytes
    }
}

/// SplitMix64: no compressor finds an order in it, and it costs next to nothing.
pub(super) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut number = *state;
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_noise_are_others_each_time_and_nothing_else_is() {
        let text = format!("a {NEW_ID} b {} c", NOISE.to_string().repeat(25));
        let mut template = Template::new(text.clone());
        let first = String::from_utf8(template.renew().to_vec()).unwrap();
        let second = String::from_utf8(template.renew().to_vec()).unwrap();
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (at, same) in [(0, true), (1, false), (2, true), (3, false), (4, true)] {
            assert_eq!(words(&first)[at] == words(&second)[at], same, "{first} {second}");
        }
        assert_eq!(first.len(), text.len());
        assert!(Uuid::parse_str(&words(&first)[1]).is_ok());
        assert!(words(&first)[3].bytes().all(|byte| BASE64.contains(&byte)));
    }
}
