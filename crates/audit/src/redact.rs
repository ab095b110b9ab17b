//! Redaction: values taken out of an event before it is kept, each leaving its trace.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Range};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use farhold_bundle::strict_json::Text;

/// What stands where a value was.
const TRACE: &[u8] = br#"{"redacted":true}"#;

/// Which values are taken out: JSON Pointers (RFC 6901) below `/payload`, read once.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    /// The event itself: only its payload has anything below.
    event: Node,
}

/// A place some pointer goes through or ends at.
#[derive(Debug, Clone, Default)]
struct Node {
    ends: bool,
    below: BTreeMap<Box<str>, Node>,
}

/// Takes out what the pointers name, of an event that [`crate::inspect`] let through.
///
/// An event that no pointer reaches keeps its bytes. Whoever redacts many events by the same
/// pointers keeps a [`Redaction`].
pub fn redact<'e>(event: &'e [u8], pointers: &[String]) -> Cow<'e, [u8]> {
    Redaction::new(pointers).apply(event)
}

impl Redaction {
    /// Reads pointers. One that does not lead below `/payload` reaches nothing.
    pub fn new(pointers: &[String]) -> Self {
        let mut event = Node::default();
        for pointer in pointers {
            if let Some(tokens) = pointer.strip_prefix("/payload/").and_then(unescape) {
                let payload = event.below.entry("payload".into()).or_default();
                let end = tokens
                    .into_iter()
                    .fold(payload, |node, token| node.below.entry(token).or_default());
                end.ends = true;
            }
        }
        Self { event }
    }

    /// Takes out what the pointers name; an event that none reaches keeps its bytes.
    pub fn apply<'e>(&self, event: &'e [u8]) -> Cow<'e, [u8]> {
        let spans = self.spans(event);
        if spans.is_empty() {
            return Cow::Borrowed(event);
        }
        let mut out = Vec::with_capacity(event.len() + spans.len() * TRACE.len());
        let mut at = 0;
        for span in spans {
            out.extend_from_slice(&event[at..span.start]);
            out.extend_from_slice(TRACE);
            at = span.end;
        }
        out.extend_from_slice(&event[at..]);
        Cow::Owned(out)
    }

    /// Where the values lie, in order. Bytes that are no event have none.
    fn spans(&self, event: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if let Some(text) = std::str::from_utf8(event).ok().filter(|_| !self.event.below.is_empty())
        {
            let reach = Reach { node: &self.event, text, found: &mut found };
            let read = reach.deserialize(&mut serde_json::Deserializer::from_str(text));
            if read.is_err() {
                found.clear();
            }
        }
        found
    }
}

/// The tokens of a pointer without its first slash; `None` for an escape RFC 6901 doesn't have.
fn unescape(pointer: &str) -> Option<Vec<Box<str>>> {
    pointer
        .split('/')
        .map(|token| {
            let escapes_hold = token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            escapes_hold.then(|| token.replace("~1", "/").replace("~0", "~").into())
        })
        .collect()
}

/// The way down from one place; everything no pointer leads to is passed over.
struct Reach<'r, 'de> {
    node: &'r Node,
    /// The whole event: a raw value is a part of it.
    text: &'de str,
    found: &'r mut Vec<Range<usize>>,
}

impl<'de> Reach<'_, 'de> {
    fn to<'s>(&'s mut self, node: &'s Node) -> Reach<'s, 'de> {
        Reach { node, text: self.text, found: self.found }
    }
}

impl<'de> DeserializeSeed<'de> for Reach<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.node.ends {
            return deserializer.deserialize_any(self);
        }
        let value = <&'de RawValue>::deserialize(deserializer)?.get();
        let start = (value.as_ptr() as usize)
            .checked_sub(self.text.as_ptr() as usize)
            .ok_or_else(|| D::Error::custom("a value outside the event"))?;
        self.found.push(start..start + value.len());
        Ok(())
    }
}

impl<'de> Visitor<'de> for Reach<'_, 'de> {
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

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let node = self.node;
        for index in 0_usize.. {
            let more = match node.below.get(index.to_string().as_str()) {
                Some(below) => items.next_element_seed(self.to(below))?.is_some(),
                None => items.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let node = self.node;
        while let Some(key) = members.next_key_seed(Text)? {
            match node.below.get(&*key) {
                Some(below) => members.next_value_seed(self.to(below))?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn redacted(event: &str, pointers: &[&str]) -> String {
        let pointers: Vec<String> = pointers.iter().map(ToString::to_string).collect();
        String::from_utf8(redact(event.as_bytes(), &pointers).into_owned()).unwrap()
    }

    #[test]
    fn a_redacted_value_leaves_its_trace_and_every_other_byte_stays() {
        let event = r#"{ "type":"login", "payload" : {"email" : "a@b.c",  "n":[1, {"x":2}, 3]} }"#;
        assert_eq!(
            redacted(event, &["/payload/email", "/payload/n/1/x", "/payload/absent"]),
            r#"{ "type":"login", "payload" : {"email" : {"redacted":true},  "n":[1, {"x":{"redacted":true}}, 3]} }"#
        );
    }

    #[test]
    fn bytes_stay_where_no_pointer_reaches() {
        let event = br#"{"type":"login","payload":{"a":1}}"#;
        for pointers in [vec![], vec!["/payload/b".to_owned()], vec!["/payload/a/b".to_owned()]] {
            assert!(matches!(redact(event, &pointers), Cow::Borrowed(same) if same == event));
        }
    }

    #[test]
    fn nothing_outside_the_payload_can_be_reached() {
        let event = r#"{"event_id":"e","actor_id":"a","payload":{"a":1},"x":{"payload":{"a":1}}}"#;
        for pointer in [
            "",
            "/",
            "/event_id",
            "/actor_id",
            "/payload",
            "payload/a",
            "/payloads/a",
            "/x/payload/a",
            "/payload/../actor_id",
            "/payload/~2",
            "#/payload/a",
        ] {
            assert_eq!(redacted(event, &[pointer]), event, "{pointer}");
        }
    }

    #[test]
    fn pointers_follow_rfc_6901() {
        let event = r#"{"payload":{"":1,"a/b":2,"m~n":3,"~1":4,"\u0061\"b":5,"l":[6,7]}}"#;
        let taken = |pointer, value: &str| {
            let expected = event.replacen(value, r#"{"redacted":true}"#, 1);
            assert_eq!(redacted(event, &[pointer]), expected, "{pointer}");
        };
        taken("/payload/", "1");
        taken("/payload/a~1b", "2");
        taken("/payload/m~0n", "3");
        taken("/payload/~01", "4");
        taken("/payload/a\"b", "5");
        taken("/payload/l/1", "7");
        for pointer in ["/payload/l/01", "/payload/l/-", "/payload/l/2", "/payload/l/+1"] {
            assert_eq!(redacted(event, &[pointer]), event, "{pointer}");
        }
    }

    #[test]
    fn an_outer_pointer_covers_an_inner_one() {
        assert_eq!(
            redacted(r#"{"payload":{"a":{"b":1}}}"#, &["/payload/a/b", "/payload/a"]),
            r#"{"payload":{"a":{"redacted":true}}}"#
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c\"\\\\é]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab~/]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn redaction_does_what_a_reader_of_pointers_would(
            payload in prop::collection::btree_map("[ab~/]{0,2}", any_json(), 0..4),
            pointers in prop::collection::vec(
                "(/(a|b|ab|0|1|~0|~1|a~1|)){1,3}".prop_map(|rest| format!("/payload{rest}")), 0..4),
            pretty: bool,
        ) {
            let payload = Value::Object(payload.into_iter().collect());
            let mut event = json!({"type": "login", "payload": payload});
            let bytes = if pretty { serde_json::to_vec_pretty(&event) }
                        else { serde_json::to_vec(&event) }.unwrap();
            let done = redact(&bytes, &pointers).into_owned();

            let mut outermost = pointers.clone();
            outermost.sort_by_key(String::len);
            for (at, pointer) in outermost.iter().enumerate() {
                let covered = |outer: &String| pointer.starts_with(&format!("{outer}/"));
                if !outermost[..at].iter().any(covered)
                    && let Some(value) = event.pointer_mut(pointer) {
                    *value = json!({"redacted": true});
                }
            }
            prop_assert_eq!(serde_json::from_slice::<Value>(&done).unwrap(), event);
            // Twice is once.
            prop_assert_eq!(redact(&done, &pointers).into_owned(), done);
        }
    }
}
