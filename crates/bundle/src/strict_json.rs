//! One streaming walk over a payload before it is read as its type.
//!
//! serde refuses a member twice only where it knows the member; two readers that disagree about
//! which of two unknown members counts would disagree about the document.

use std::{collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{error::PayloadError, limits::LIMITS, number, payload::DocumentType};

/// Refuses duplicate keys, nesting beyond the limit, numbers beyond ±(2^53 − 1), and non-JSON.
pub(crate) fn walk(payload: &[u8], document: DocumentType) -> Result<(), PayloadError> {
    let mut finding = None;
    let mut reader = serde_json::Deserializer::from_slice(payload);
    let result = Walk { depth: 0, finding: &mut finding }
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    match (result, finding) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(finding)) => Err(finding),
        (Err(source), None) => Err(PayloadError::Malformed { document, source }),
    }
}

struct Walk<'f> {
    depth: usize,
    finding: &'f mut Option<PayloadError>,
}

impl Walk<'_> {
    fn refuse<E: Error>(self, finding: PayloadError) -> E {
        *self.finding = Some(finding);
        E::custom("refused")
    }

    /// serde_json itself stops at 128 levels, so the walk's own stack is bounded either way.
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == LIMITS.json_depth {
            return Err(self.refuse(PayloadError::TooDeep { limit: LIMITS.json_depth }));
        }
        Ok(Self { depth: self.depth + 1, finding: self.finding })
    }

    fn reborrow(&mut self) -> Walk<'_> {
        Walk { depth: self.depth, finding: self.finding }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        if number > number::MAX { Err(self.refuse(PayloadError::Number)) } else { Ok(()) }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_u64(number.unsigned_abs())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if number.abs() > number::MAX as f64 {
            Err(self.refuse(PayloadError::Number))
        } else {
            Ok(())
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut inner = self.deeper()?;
        while items.next_element_seed(inner.reborrow())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut inner = self.deeper()?;
        let mut seen = Keys::default();
        while let Some(key) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            if !seen.insert(key.as_ref()) {
                return Err(inner
                    .refuse(PayloadError::DuplicateKey { key: key.chars().take(80).collect() }));
            }
            members.next_value_seed(inner.reborrow())?;
        }
        Ok(())
    }
}

/// The keys of one object: a list while it is short, as nearly all are, else a set.
#[derive(Default)]
struct Keys {
    few: Vec<Box<str>>,
    many: BTreeSet<Box<str>>,
}

impl Keys {
    fn insert(&mut self, key: &str) -> bool {
        if self.few.iter().any(|seen| **seen == *key) {
            return false;
        }
        if self.few.len() < 16 {
            self.few.push(key.into());
            return true;
        }
        self.many.insert(key.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(payload: &str) -> String {
        walk(payload.as_bytes(), DocumentType::License).unwrap_err().to_string()
    }

    #[test]
    fn a_duplicate_key_is_refused_at_any_depth_however_it_is_escaped() {
        for payload in
            [r#"{"a":1,"a":2}"#, r#"{"x":[{"b":{"c":1,"c":1}}]}"#, "{\"a\":1,\"\\u0061\":2}"]
        {
            assert!(refusal(payload).contains("twice"), "{payload}");
        }
        let many: String = (0..40).map(|n| format!("\"k{n}\":1,")).collect();
        assert!(refusal(&format!("{{{many}\"k39\":1}}")).contains("twice"));
        assert!(walk(format!("{{{many}\"k40\":1}}").as_bytes(), DocumentType::License).is_ok());
    }

    #[test]
    fn nesting_and_numbers_are_bounded() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(walk(nested(16).as_bytes(), DocumentType::License).is_ok());
        assert!(refusal(&nested(17)).contains("deeper"));
        assert!(refusal(&nested(100_000)).contains("deeper"));
        assert!(walk(b"[9007199254740991,-9007199254740991,0.5]", DocumentType::License).is_ok());
        for number in
            ["9007199254740992", "-9007199254740992", "1e300", "123456789012345678901234567890"]
        {
            assert!(refusal(number).contains("2^53"), "{number}");
        }
        assert!(refusal("{} {}").contains("payload"));
        assert!(refusal("\u{feff}{}").contains("payload"));
    }
}
