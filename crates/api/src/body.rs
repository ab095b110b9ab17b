//! Body: a call's bytes, read once, within their limits, and what they say.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use farhold_contract::Code;

use crate::{call::single, refusal::Refusal};

/// Reads a JSON body of at most `most` bytes within `time`.
///
/// # Errors
/// `request.media_type` if it is not declared as JSON; `request.too_large`, from the declared
/// length where there is one, without reading; `request.timeout`; `request.malformed` if it ends
/// before its declared length.
pub async fn read(
    headers: &HeaderMap,
    body: Body,
    most: usize,
    time: Duration,
) -> Result<Bytes, Refusal> {
    declared_json(headers)?;
    // A declared length is the lower bound and the upper one; a chunked body has 0 here.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let mut body = pin!(collect(body, most));
    // Nearly always it is here already, and no timer is needed.
    match poll_fn(|cx| Poll::Ready(body.as_mut().poll(cx))).await {
        Poll::Ready(read) => read,
        Poll::Pending => timeout(time, body).await.map_err(|_elapsed| Code::RequestTimeout)?,
    }
}

/// Reads `bytes` as the JSON object a call takes.
///
/// # Errors
/// `request.malformed`, with what is wrong and where, in our words: never the body's own.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Refusal> {
    // serde would read an array as a struct, member by member.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::new(Code::RequestMalformed, "the body is not a JSON object"));
    }
    serde_json::from_slice(bytes)
        .map_err(|why| Refusal::new(Code::RequestMalformed, without_its_words(&why)))
}

/// Deserializes an optional member that may be left out but not `null`: `null` is no value of
/// the contract's types.
///
/// # Errors
/// As `T`'s own reading.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Holds a text against its limit.
pub(crate) fn fits(text: &str, most: usize, name: &str) -> Result<(), Refusal> {
    if text.len() <= most {
        return Ok(());
    }
    Err(Refusal::new(Code::RequestMalformed, format!("{name} is longer than {most} bytes")))
}

/// `application/json`, with or without parameters (RFC 8259 defines none: they change nothing).
fn declared_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let declared = single(headers, &CONTENT_TYPE)?.ok_or(Code::RequestMediaType)?.as_bytes();
    let essence = declared.split(|byte| *byte == b';').next().unwrap_or_default();
    if essence.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        Ok(())
    } else {
        Err(Code::RequestMediaType.into())
    }
}

async fn collect(mut body: Body, most: usize) -> Result<Bytes, Refusal> {
    let Some(first) = data(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() > most {
        return Err(too_large(most));
    }
    // A body in one piece is not copied.
    if body.is_end_stream() {
        return Ok(first);
    }
    let rest = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = BytesMut::with_capacity(first.len().saturating_add(rest).min(most));
    whole.extend_from_slice(&first);
    while let Some(next) = data(&mut body).await? {
        if whole.len().saturating_add(next.len()) > most {
            return Err(too_large(most));
        }
        whole.extend_from_slice(&next);
    }
    Ok(whole.freeze())
}

/// The next piece of the body; trailers are not the contract's and are dropped.
async fn data(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Refusal::new(Code::RequestMalformed, "the body ended too early"))?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

fn too_large(most: usize) -> Refusal {
    Refusal::new(Code::RequestTooLarge, format!("this call takes at most {most} bytes"))
}

/// What the parser says, without what it quotes from the body: a body may hold a token, and an
/// error may end in a log.
pub(crate) fn without_its_words(why: &serde_json::Error) -> String {
    let text = why.to_string();
    // A syntax error quotes nothing; these two quote our own member names.
    let ours = !why.is_data()
        || ["missing field `", "duplicate field `"].iter().any(|start| text.starts_with(start));
    if ours {
        return text;
    }
    // "invalid type: string \"…\", expected a UUIDv7 at line 1 column 9": the last ", expected "
    // and what follows are ours.
    match text.rfind(", expected ") {
        Some(at) => text[at + 2..].to_owned(),
        None => {
            format!("a value is not of its type at line {} column {}", why.line(), why.column())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)] // only its errors are looked at
    struct Sample {
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Two,
    }

    #[test]
    fn a_parse_error_never_quotes_the_body() {
        for body in [
            r#"{"kind":"canary"}"#,
            r#"{"kind":"canary, expected canary"}"#,
            r#"{"kind":["canary"]}"#,
            r#"{"canary":1}"#,
            r#"{"kind":"one","kind":"canary"}"#,
            r#"{"kind":"canary"#,
            r#"["canary"]"#,
            r#""canary""#,
        ] {
            let refusal = parse::<Sample>(body.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, Code::RequestMalformed);
            let detail = refusal.detail.unwrap();
            assert!(!detail.contains("canary"), "{body}: {detail}");
        }
    }

    #[test]
    fn a_parse_error_says_what_was_expected_and_where() {
        let detail = |body: &str| parse::<Sample>(body.as_bytes()).unwrap_err().detail.unwrap();
        assert_eq!(detail(r#"{"kind":"x"}"#), "expected `one` or `two` at line 1 column 11");
        assert_eq!(detail("{}"), "missing field `kind` at line 1 column 2");
    }
}
