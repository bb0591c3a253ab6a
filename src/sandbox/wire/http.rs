//! A request and an answer, whoever carried them: a socket, or the SDK's connector in the same process.

use flate2::read::GzDecoder;
use std::borrow::Cow;
use std::io::Read;

/// A request, read whole.
#[derive(Debug, Clone)]
pub struct HttpCall {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path as it came, still percent-encoded.
    pub path: String,
    /// The query as it came.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpCall {
    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The query's pairs, decoded.
    pub fn pairs(&self) -> Vec<(String, String)> {
        pairs(&self.query)
    }
}

/// The most that a compressed body may become.
const MOST_BYTES: u64 = 8 << 20;

/// The request with its body as it was before the client compressed it: botocore and the SDKs do so with large
/// bodies of PutMetricData (Smithy, requestCompression trait).
///
/// # Errors
/// What is wrong with the compressed body.
pub(super) fn unpacked(request: &HttpCall) -> Result<Cow<'_, HttpCall>, String> {
    if request.header("content-encoding") != Some("gzip") {
        return Ok(Cow::Borrowed(request));
    }
    let mut body = Vec::new();
    let unpack = GzDecoder::new(request.body.as_slice()).take(MOST_BYTES).read_to_end(&mut body);
    unpack.map_err(|error| format!("the body is no gzip: {error}"))?;
    Ok(Cow::Owned(HttpCall { body, ..request.clone() }))
}

/// The decoded pairs of a query or of a form.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (unescape(&key.replace('+', " ")), unescape(&value.replace('+', " ")))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Undoes percent-encoding; what is not an escape stays.
pub fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[at], hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// An answer of a content type.
    pub fn new(status: u16, content_type: &str, body: Vec<u8>) -> HttpAnswer {
        HttpAnswer { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape("arn%3Aaws%3Alambda"), "arn:aws:lambda");
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(
            pairs("a=1+2&b=%26"),
            [("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), "&".to_owned())]
        );
    }
}
