//! Tagged: an answer under an `ETag`, that is not sent to those who have it.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};

use farhold_contract::{Code, Sha256Digest};

use crate::refusal::Refusal;

/// `200` with `body` under the tag `"<digest>"`, or `304` without it where `If-None-Match` names
/// the tag or is `*` (RFC 9110 §13.1.2). `digest` is the body's.
///
/// # Errors
/// `server.internal` for a media type that no header can carry.
pub fn tagged(
    headers: &HeaderMap,
    media_type: &'static str,
    digest: Sha256Digest,
    body: Bytes,
) -> Result<Response, Refusal> {
    let tag = format!("\"{digest}\"");
    let is_known = names(headers, &tag);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(body) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    let tag = HeaderValue::from_str(&tag).map_err(|_| Code::ServerInternal)?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

/// Whether `If-None-Match` names a tag. A list may come in one header or in several, and a proxy
/// may have made the tag a weak one: the comparison is weak.
fn names(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut named = lists.flat_map(|list| list.split(',')).map(str::trim);
    named.any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(sent: &[&'static str]) -> StatusCode {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        let digest = Sha256Digest::new([0xab; 32]);
        let response = tagged(&headers, "text/plain", digest, Bytes::from_static(b"x")).unwrap();
        assert_eq!(response.headers()[ETAG].to_str().unwrap(), format!("\"{digest}\""));
        response.status()
    }

    #[test]
    fn what_the_caller_has_is_not_sent_again_however_it_says_so() {
        const TAG: &str = "\"abababababababababababababababababababababababababababababababab\"";
        const WEAK: &str = "W/\"abababababababababababababababababababababababababababababababab\"";
        const LISTED: &str =
            "\"old\", \"abababababababababababababababababababababababababababababababab\"";
        for sent in [&[TAG][..], &[WEAK], &[LISTED], &["*"], &["\"old\"", TAG]] {
            assert_eq!(status(sent), StatusCode::NOT_MODIFIED, "{sent:?}");
        }
        for sent in [&[][..], &["\"old\""], &["abab"], &[""]] {
            assert_eq!(status(sent), StatusCode::OK, "{sent:?}");
        }
    }
}
