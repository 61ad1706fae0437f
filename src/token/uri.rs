//! How a room names a token: `pkcs11:` URIs (RFC 7512) or `serial=21073412`.
//!
//! ```
//! use tuf_ceremony::token::uri::TokenUri;
//!
//! let uri: TokenUri = "pkcs11:serial=0013200460;id=%65;type=private".parse()?;
//! assert_eq!(uri.choice().serial.as_deref(), Some("0013200460"));
//! assert_eq!(uri.id, Some(vec![0x65]));
//! # Ok::<(), tuf_ceremony::token::uri::UriError>(())
//! ```

use std::str::FromStr;

use crate::ceremony::port::TokenChoice;

/// What a URI says of a token and of a key on it. What is none is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenUri {
    /// As it was written.
    text: String,
    /// `serial`.
    pub serial: Option<String>,
    /// `token`: the token's label.
    pub token: Option<String>,
    /// `manufacturer`.
    pub manufacturer: Option<String>,
    /// `model`.
    pub model: Option<String>,
    /// `id`: the key's `CKA_ID`.
    pub id: Option<Vec<u8>>,
    /// `object`: the key's label.
    pub object: Option<String>,
    /// `module-path` of the query; the room may name the module elsewhere.
    pub module_path: Option<String>,
}

/// Why a text names no token, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UriError(String);

impl TokenUri {
    /// What the runner compares with the tokens that are plugged in.
    pub fn choice(&self) -> TokenChoice {
        TokenChoice {
            description: self.text.clone(),
            serial: self.serial.clone(),
            label: self.token.clone(),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), UriError> {
        let place = match name {
            "serial" => &mut self.serial,
            "token" => &mut self.token,
            "manufacturer" => &mut self.manufacturer,
            "model" => &mut self.model,
            "object" => &mut self.object,
            "id" => return once(&mut self.id, name, decoded(value)?),
            "type" if matches!(value, "private" | "public") => return Ok(()),
            "pin-value" | "pin-source" => return Err(no_pin(name)),
            // RFC 7512, 2.5: what cannot be compared must not match. Slots are renumbered, so they are never compared.
            _ => {
                let said = format!("tokens and keys are not found by the attribute {name} here");
                return Err(UriError(said));
            }
        };
        once(place, name, text(value)?)
    }

    fn set_query(&mut self, name: &str, value: &str) -> Result<(), UriError> {
        match name {
            "pin-value" | "pin-source" => Err(no_pin(name)),
            "module-path" => once(&mut self.module_path, name, text(value)?),
            // RFC 7512, 2.4: unknown query attributes are to be ignored.
            _ => Ok(()),
        }
    }
}

impl FromStr for TokenUri {
    type Err = UriError;

    fn from_str(written: &str) -> Result<Self, UriError> {
        let mut uri = Self {
            text: written.to_owned(),
            ..Self::default()
        };
        if let Some(serial) = written.strip_prefix("serial=") {
            uri.serial = Some(serial.to_owned());
        } else {
            let (scheme, rest) = written.split_once(':').unwrap_or_default();
            if !scheme.eq_ignore_ascii_case("pkcs11") {
                let said = "a token is named by a pkcs11: URI (RFC 7512) or by serial=NUMBER";
                return Err(UriError(said.to_owned()));
            }
            let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
            for (name, value) in attributes(path, ';') {
                uri.set(name, value)?;
            }
            for (name, value) in attributes(query, '&') {
                uri.set_query(name, value)?;
            }
        }
        let named = [&uri.serial, &uri.token];
        if named
            .iter()
            .all(|name| name.as_ref().is_none_or(String::is_empty))
        {
            let said = "it names no token: serial or token (the label) is needed";
            return Err(UriError(said.to_owned()));
        }
        Ok(uri)
    }
}

fn attributes(list: &str, separator: char) -> impl Iterator<Item = (&str, &str)> {
    list.split(separator)
        .filter(|attribute| !attribute.is_empty())
        .map(|attribute| attribute.split_once('=').unwrap_or((attribute, "")))
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), UriError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(UriError(format!("{name} is given twice"))),
    }
}

/// Never with the value: it may be a PIN.
fn no_pin(name: &str) -> UriError {
    UriError(format!(
        "{name} is not accepted: a PIN is typed or comes by a descriptor, never from a file that is shown and kept"
    ))
}

fn text(value: &str) -> Result<String, UriError> {
    String::from_utf8(decoded(value)?)
        .map_err(|_| UriError(format!("{value} does not decode to text")))
}

/// Undoes percent-encoding (RFC 3986, 2.1), strictly.
fn decoded(value: &str) -> Result<Vec<u8>, UriError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut parts = value.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or_else(|| not_encoded(value))?;
        let byte = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
        bytes.append(&mut byte.map_err(|_| not_encoded(value))?);
        bytes.extend(rest.bytes());
    }
    Ok(bytes)
}

fn not_encoded(value: &str) -> UriError {
    UriError(format!(
        "{value} is not percent-encoded: % stands before two hexadecimal digits"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::TokenUri;

    #[test]
    fn uri_of_each_attribute_is_read() {
        let uri: TokenUri = "PKCS11:token=The%20Software%20%C3%9C;manufacturer=Snake%20Oil,%20Inc.;serial=21073412;model=1.0;id=%69%95%3e;\
                             object=my-key;type=private?module-path=/usr/lib/x.so&vendor=1"
            .parse()
            .unwrap();
        assert_eq!(uri.token.as_deref(), Some("The Software Ü"));
        assert_eq!(uri.manufacturer.as_deref(), Some("Snake Oil, Inc."));
        assert_eq!(uri.serial.as_deref(), Some("21073412"));
        assert_eq!(uri.model.as_deref(), Some("1.0"));
        assert_eq!(uri.id.as_deref(), Some(&[0x69, 0x95, 0x3e][..]));
        assert_eq!(uri.object.as_deref(), Some("my-key"));
        assert_eq!(uri.module_path.as_deref(), Some("/usr/lib/x.so"));
        assert_eq!(uri.choice().label.as_deref(), Some("The Software Ü"));
    }

    #[test]
    fn plain_serial_is_taken_as_it_is() {
        let uri: TokenUri = "serial=0013200460".parse().unwrap();
        assert_eq!(uri.choice().serial.as_deref(), Some("0013200460"));
        assert_eq!(uri.choice().description, "serial=0013200460");
        assert_eq!(uri.choice().label, None);
    }

    #[test]
    fn bad_uri_is_refused_with_its_reason() {
        for (written, reason) in [
            (
                "",
                "a token is named by a pkcs11: URI (RFC 7512) or by serial=NUMBER",
            ),
            (
                "file:x",
                "a token is named by a pkcs11: URI (RFC 7512) or by serial=NUMBER",
            ),
            (
                "serial=",
                "it names no token: serial or token (the label) is needed",
            ),
            (
                "pkcs11:",
                "it names no token: serial or token (the label) is needed",
            ),
            (
                "pkcs11:id=%01",
                "it names no token: serial or token (the label) is needed",
            ),
            ("pkcs11:serial=1;serial=2", "serial is given twice"),
            (
                "pkcs11:serial=1;slot-id=0",
                "tokens and keys are not found by the attribute slot-id here",
            ),
            (
                "pkcs11:serial=1;type=cert",
                "tokens and keys are not found by the attribute type here",
            ),
            (
                "pkcs11:serial=1;new=2",
                "tokens and keys are not found by the attribute new here",
            ),
            (
                "pkcs11:serial=%4",
                "%4 is not percent-encoded: % stands before two hexadecimal digits",
            ),
            (
                "pkcs11:serial=%zz",
                "%zz is not percent-encoded: % stands before two hexadecimal digits",
            ),
            (
                "pkcs11:serial=%é",
                "%é is not percent-encoded: % stands before two hexadecimal digits",
            ),
            ("pkcs11:token=%ff", "%ff does not decode to text"),
            (
                "pkcs11:serial=1?pin-value=1234",
                "pin-value is not accepted: a PIN is typed or comes by a descriptor, never from a file that is shown and kept",
            ),
        ] {
            assert_eq!(
                written.parse::<TokenUri>().unwrap_err().to_string(),
                reason,
                "{written}"
            );
        }
    }
}
