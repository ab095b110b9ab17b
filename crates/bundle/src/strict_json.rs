//! One pass over JSON before, or instead of, reading it as a type.
//!
//! serde refuses a member twice only where it knows the member; two readers that disagree about
//! which of two unknown members counts would disagree about the document, or the event.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{error::PayloadError, limits::LIMITS, number, payload::DocumentType};

/// Refuses duplicate keys, nesting beyond the limit, numbers beyond ±(2^53 − 1), `null`, and
/// non-JSON.
pub(crate) fn walk(payload: &[u8], document: DocumentType) -> Result<(), PayloadError> {
    let mut finding = None;
    let mut reader = serde_json::Deserializer::from_slice(payload);
    let walk = Walk {
        depth: 0,
        deepest: LIMITS.json_depth,
        values: Values::Agreed,
        finding: &mut finding,
    };
    match (walk.deserialize(&mut reader).and_then(|()| reader.end()), finding) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(Finding::TooDeep)) => Err(PayloadError::TooDeep { limit: LIMITS.json_depth }),
        (Err(_), Some(Finding::Duplicate(key))) => Err(PayloadError::DuplicateKey { key }),
        (Err(_), Some(Finding::Number)) => Err(PayloadError::Number),
        (Err(_), Some(Finding::Null)) => Err(PayloadError::Null),
        (Err(source), None) => Err(PayloadError::Malformed { document, source }),
    }
}

/// What the walk refuses, beside what is not JSON.
#[derive(Debug)]
pub enum Finding {
    /// It nests deeper than allowed.
    TooDeep,
    /// An object has this key twice.
    Duplicate(String),
    /// A number is beyond ±(2^53 − 1).
    Number,
    /// A value is `null`.
    Null,
}

/// Which values pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Those that every reader agrees on: numbers within ±(2^53 − 1), and no `null`, which some
    /// take for "absent" and some for "none". A quota of `null` must not become no quota.
    Agreed,
    /// Any: they are carried, not read.
    Any,
}

/// The walk inside `depth` containers.
pub struct Walk<'f> {
    /// How many containers it is in.
    pub depth: usize,
    /// The deepest allowed. serde_json itself stops at 128, so the stack is bounded either way.
    pub deepest: usize,
    /// Which values pass.
    pub values: Values,
    /// What was refused, if anything.
    pub finding: &'f mut Option<Finding>,
}

impl Walk<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == self.deepest {
            return self.refuse(Finding::TooDeep);
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn reborrow(&mut self) -> Walk<'_> {
        Walk { finding: self.finding, ..*self }
    }

    fn refuse<T, E: Error>(self, finding: Finding) -> Result<T, E> {
        *self.finding = Some(finding);
        Err(E::custom("refused"))
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
        match self.values {
            Values::Agreed => self.refuse(Finding::Null),
            Values::Any => Ok(()),
        }
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match self.values {
            Values::Agreed if number > number::MAX => self.refuse(Finding::Number),
            _ => Ok(()),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_u64(number.unsigned_abs())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        match self.values {
            Values::Agreed if number.abs() > number::MAX as f64 => self.refuse(Finding::Number),
            _ => Ok(()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut inner = self.deeper()?;
        while items.next_element_seed(inner.reborrow())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut inner = self.deeper()?;
        let mut keys = Keys::default();
        while let Some(key) = members.next_key_seed(Text)? {
            keys.insert(key, inner.finding)?;
            members.next_value_seed(inner.reborrow())?;
        }
        Ok(())
    }
}

/// The walk over a value that must be an object.
pub struct WalkObject<'f>(pub Walk<'f>);

impl<'de> DeserializeSeed<'de> for WalkObject<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WalkObject<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.0.visit_map(members)
    }
}

/// A text, borrowed unless it had escapes.
pub struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The members of one object so far: a list while it is short, as nearly all are, else a set.
#[derive(Default)]
pub struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: BTreeSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    const FEW: usize = 16;

    /// Takes a key in.
    ///
    /// # Errors
    /// If it is there already; `finding` says so.
    pub fn insert<E: Error>(
        &mut self,
        key: Cow<'de, str>,
        finding: &mut Option<Finding>,
    ) -> Result<(), E> {
        if self.few.contains(&key) || self.many.contains(&key) {
            *finding = Some(Finding::Duplicate(key.chars().take(80).collect()));
            return Err(E::custom("duplicate"));
        }
        if self.few.len() < Self::FEW {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        Ok(())
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
