//! How a room names a token: `pkcs11:` URIs (RFC 7512), `serial=21073412`, or the `hsm:` URIs of securesystemslib (python-tuf, tuf-on-ci).
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
    scheme: Scheme,
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

/// In which form it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scheme {
    #[default]
    Serial,
    Pkcs11,
    Hsm,
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

    /// Whether the text says more of the token or the key than the serial and the label. The number of an `hsm:` URI does not count: it is never
    /// missing there, and which key signs is said by its public half in the metadata, which is the stricter word.
    pub fn says_more(&self) -> bool {
        self.manufacturer.is_some()
            || self.model.is_some()
            || (self.id.is_some() && self.scheme != Scheme::Hsm)
            || self.object.is_some()
            || self.module_path.is_some()
    }

    /// `hsm:KEYID?FIELD=VALUE&...`: a whole number that is the key's `CKA_ID`, big-endian, 2 (`PIV` slot 9c) where there is none; then fields of
    /// `CK_TOKEN_INFO` by `PyKCS11`'s names, as a form is encoded.
    fn set_hsm(&mut self, key: &str, fields: &str) -> Result<(), UriError> {
        let number = if key.is_empty() {
            Ok(2)
        } else {
            key.parse::<u64>()
        };
        let number = number.map_err(|_| {
            UriError(format!(
                "{key} is not the number of a key: hsm: is followed by a whole number or nothing"
            ))
        })?;
        let bytes = number.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.id = Some(bytes[zeros.min(7)..].to_vec());
        for (name, value) in attributes(fields, '&').filter(|(_, value)| !value.is_empty()) {
            let value = value.replace('+', " ");
            match name {
                "label" => once(&mut self.token, name, text(&value)?)?,
                "serialNumber" => once(&mut self.serial, name, text(&value)?)?,
                "manufacturerID" => once(&mut self.manufacturer, name, text(&value)?)?,
                "model" => once(&mut self.model, name, text(&value)?)?,
                "pin-value" | "pin-source" => return Err(no_pin(name)),
                name => return Err(not_compared(name)),
            }
        }
        // ykcs11 makes the label from the serial, and no other way to the same device says this label.
        let named = self.token.as_deref().and_then(ykcs11_serial);
        if let Some(serial) = named.map(str::to_owned) {
            if self.serial.as_ref().is_some_and(|said| *said != serial) {
                let said = "its label and its serialNumber are of different YubiKeys";
                return Err(UriError(said.to_owned()));
            }
            self.token = None;
            self.serial = Some(serial);
        }
        Ok(())
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
            name => return Err(not_compared(name)),
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
            let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
            match scheme.to_ascii_lowercase().as_str() {
                "pkcs11" => {
                    uri.scheme = Scheme::Pkcs11;
                    for (name, value) in attributes(path, ';') {
                        uri.set(name, value)?;
                    }
                    for (name, value) in attributes(query, '&') {
                        uri.set_query(name, value)?;
                    }
                }
                "hsm" => {
                    uri.scheme = Scheme::Hsm;
                    uri.set_hsm(path, query)?;
                }
                _ => {
                    let said = "a token is named by a pkcs11: URI (RFC 7512), by serial=NUMBER, or by an hsm: URI of securesystemslib";
                    return Err(UriError(said.to_owned()));
                }
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

/// The serial in the label that ykcs11 gives a `YubiKey`.
fn ykcs11_serial(label: &str) -> Option<&str> {
    let serial = label.strip_prefix("YubiKey PIV #")?;
    (!serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_digit())).then_some(serial)
}

fn not_compared(name: &str) -> UriError {
    UriError(format!(
        "tokens and keys are not found by the attribute {name} here"
    ))
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
mod tests;
