//! One pass over JSON that nobody will read as a type: depth and duplicate members.
//!
//! Two readers that disagree about which of two members counts would disagree about the event.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::limits::LIMITS;

/// What the walk refuses.
#[derive(Debug)]
pub(crate) enum Finding {
    TooDeep,
    Duplicate(String),
}

/// The walk inside `depth` containers.
pub(crate) struct Walk<'f> {
    pub(crate) depth: usize,
    pub(crate) finding: &'f mut Option<Finding>,
}

impl Walk<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == LIMITS.json_depth {
            *self.finding = Some(Finding::TooDeep);
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth + 1, finding: self.finding })
    }

    pub(crate) fn reborrow(&mut self) -> Walk<'_> {
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

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
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
pub(crate) struct WalkObject<'f>(pub(crate) Walk<'f>);

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
pub(crate) struct Text;

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
pub(crate) struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: BTreeSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    const FEW: usize = 16;

    pub(crate) fn insert<E: Error>(
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
