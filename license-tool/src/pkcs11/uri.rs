//! URI: how a key in a token is named (RFC 7512).

use std::path::PathBuf;

/// What a `pkcs11:` URI says of module, token and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uri {
    /// `token`: the token's label.
    pub token: Option<String>,
    /// `serial`: the token's serial number.
    pub serial: Option<String>,
    /// `manufacturer`: the token's.
    pub manufacturer: Option<String>,
    /// `model`: the token's.
    pub model: Option<String>,
    /// `slot-id`: the slot's number.
    pub slot_id: Option<u64>,
    /// `object`: the key's label.
    pub object: Option<String>,
    /// `id`: the key's id, raw bytes.
    pub id: Option<Vec<u8>>,
    /// `module-path`: the module's file.
    pub module_path: Option<PathBuf>,
    /// `pin-source`: the file that holds the PIN.
    pub pin_source: Option<PathBuf>,
}

/// Why a text is no usable `pkcs11:` URI. It never repeats the text: there may be a PIN in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// It does not begin with `pkcs11:`.
    #[error("it does not begin with pkcs11:")]
    Scheme,
    /// A part is not `name=value`, or its value can't be read.
    #[error("its part {part} is not name=value of RFC 7512")]
    Part {
        /// The part's place, from 1.
        part: usize,
    },
    /// An attribute is given twice.
    #[error("it says {name} twice")]
    Twice {
        /// The attribute.
        name: String,
    },
    /// An attribute that would be ignored, and change what is meant.
    #[error("it says {name}, which is not known here")]
    Unknown {
        /// The attribute.
        name: String,
    },
    /// A PIN in the URI is a PIN in the list of processes.
    #[error("it holds a PIN (pin-value), which every user of this machine could read")]
    PinValue,
    /// It names another kind of object.
    #[error("it names an object that is not a private key (type)")]
    Type,
    /// Nothing in it tells the key from others.
    #[error("it names no key: object or id is missing")]
    NoKey,
    /// A new key needs a label.
    #[error("it gives the new key no label: object is missing")]
    NoLabel,
}

impl Uri {
    const SCHEME: &str = "pkcs11:";

    /// Whether a text means to be such a URI, and no path.
    pub fn is_one(text: &str) -> bool {
        text.get(..Self::SCHEME.len())
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(Self::SCHEME))
    }

    /// Reads a URI that names one key.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if !Self::is_one(text) {
            return Err(UriError::Scheme);
        }
        let text = &text[Self::SCHEME.len()..];
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let mut uri = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        let parts = parts(path, ';').chain(parts(query, '&'));
        for (at, part) in parts.enumerate() {
            let malformed = UriError::Part { part: at + 1 };
            let (name, value) = part.split_once('=').ok_or_else(|| malformed.clone())?;
            if seen.contains(&name) {
                return Err(UriError::Twice { name: plain(name) });
            }
            seen.push(name);
            let value = unescape(value).ok_or_else(|| malformed.clone())?;
            uri.set(name, value, malformed)?;
        }
        if uri.object.is_none() && uri.id.is_none() {
            return Err(UriError::NoKey);
        }
        Ok(uri)
    }

    fn set(&mut self, name: &str, value: Vec<u8>, malformed: UriError) -> Result<(), UriError> {
        if name == "id" {
            self.id = Some(value);
            return Ok(());
        }
        let text = String::from_utf8(value).map_err(|_| malformed.clone())?;
        match name {
            "token" => self.token = Some(text),
            "serial" => self.serial = Some(text),
            "manufacturer" => self.manufacturer = Some(text),
            "model" => self.model = Some(text),
            "object" => self.object = Some(text),
            "slot-id" => self.slot_id = Some(text.parse().map_err(|_| malformed)?),
            "module-path" => self.module_path = Some(PathBuf::from(text)),
            "pin-source" => {
                // RFC 7512 §2.4: a URI of its own, or a path.
                let path = text.strip_prefix("file:").unwrap_or(&text);
                self.pin_source = Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)));
            }
            "pin-value" => return Err(UriError::PinValue),
            "type" if text == "private" => {}
            "type" => return Err(UriError::Type),
            other => return Err(UriError::Unknown { name: plain(other) }),
        }
        Ok(())
    }

    /// The key for people, without the module: `object "license" in token "vendor"`.
    pub fn key(&self) -> String {
        let key = match (&self.object, &self.id) {
            (Some(label), _) => format!("object \"{}\"", plain(label)),
            (None, Some(id)) => format!("object of id {}", hex(id)),
            (None, None) => "object".to_owned(),
        };
        format!("{key} in {}", self.place())
    }

    /// The token for people: `token "vendor"`.
    pub fn place(&self) -> String {
        match (&self.token, &self.serial, self.slot_id) {
            (Some(label), ..) => format!("token \"{}\"", plain(label)),
            (None, Some(serial), _) => format!("token of serial number {}", plain(serial)),
            (None, None, Some(slot)) => format!("slot {slot}"),
            (None, None, None) => "the token".to_owned(),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).filter(|part| !part.is_empty())
}

/// Percent-decodes (RFC 3986 §2.1).
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, others @ ..] = others else { return None };
        let digit = |byte: u8| (byte as char).to_digit(16);
        bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
        rest = others;
    }
    Some(bytes)
}

/// Nothing a terminal acts on.
fn plain(text: &str) -> String {
    text.chars().flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_module_token_and_key() {
        let uri = Uri::parse(
            "pkcs11:token=The%20vendor;serial=00ab;object=license;id=%01%ff;type=private\
             ?module-path=/usr/lib/hsm.so&pin-source=file:/run/pin",
        )
        .unwrap();
        assert_eq!(uri.token.as_deref(), Some("The vendor"));
        assert_eq!(uri.serial.as_deref(), Some("00ab"));
        assert_eq!(uri.object.as_deref(), Some("license"));
        assert_eq!(uri.id.as_deref(), Some(&[1, 255][..]));
        assert_eq!(uri.module_path, Some(PathBuf::from("/usr/lib/hsm.so")));
        assert_eq!(uri.pin_source, Some(PathBuf::from("/run/pin")));
        assert_eq!(uri.key(), "object \"license\" in token \"The vendor\"");
    }

    #[test]
    fn what_would_be_misunderstood_is_refused() {
        let refused = |text: &str| Uri::parse(text).unwrap_err();
        assert_eq!(refused("license.key"), UriError::Scheme);
        assert_eq!(refused("pkcs11:object"), UriError::Part { part: 1 });
        assert_eq!(refused("pkcs11:object=a%4"), UriError::Part { part: 1 });
        assert_eq!(refused("pkcs11:object=a%+4"), UriError::Part { part: 1 });
        assert_eq!(refused("pkcs11:object=a;id=%01;slot-id=x"), UriError::Part { part: 3 });
        assert_eq!(refused("pkcs11:object=a;object=b"), UriError::Twice { name: "object".into() });
        assert_eq!(refused("pkcs11:objekt=a"), UriError::Unknown { name: "objekt".into() });
        assert_eq!(refused("pkcs11:object=a;type=cert"), UriError::Type);
        assert_eq!(refused("pkcs11:token=a"), UriError::NoKey);
        let pin = refused("pkcs11:object=a?pin-value=987654");
        assert_eq!(pin, UriError::PinValue);
        assert!(!pin.to_string().contains("987654"));
    }
}
