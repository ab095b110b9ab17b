//! Bytes written as lower-case hex: one value, one spelling.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use farhold_contract::digest::decode_lower_hex;

/// At most 32 bytes; longer ones have no place in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hex<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 64];
        let digits = digits.get_mut(..N * 2).ok_or_else(|| ser::Error::custom("too long"))?;
        hex::encode_to_slice(self.0, digits).map_err(ser::Error::custom)?;
        serializer.serialize_str(std::str::from_utf8(digits).map_err(ser::Error::custom)?)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'de str>::deserialize(deserializer)?;
        let mut bytes = [0; N];
        decode_lower_hex(text, &mut bytes)
            .ok_or_else(|| de::Error::custom("not lower-case hex of the right length"))?;
        Ok(Self(bytes))
    }
}
