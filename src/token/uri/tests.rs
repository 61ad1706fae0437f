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
fn uri_of_securesystemslib_names_the_same_token() {
    // The forms of its documentation, and what urllib.parse.urlencode makes of a hard label.
    let uri: TokenUri = "hsm:2?label=YubiKey+PIV+%2315835999".parse().unwrap();
    assert_eq!(uri.choice().serial.as_deref(), Some("15835999"));
    assert_eq!(uri.choice().label, None);
    assert_eq!(uri.id, Some(vec![2]));
    assert!(!uri.says_more());
    let uri: TokenUri = "HSM:?label=Gr%C3%BC%C3%9Fe+%26+%2B1%25&serialNumber=0013200460&model="
        .parse()
        .unwrap();
    assert_eq!(uri.choice().label.as_deref(), Some("Grüße & +1%"));
    assert_eq!(uri.choice().serial.as_deref(), Some("0013200460"));
    assert_eq!(
        (uri.id.as_deref(), uri.says_more()),
        (Some(&[2][..]), false)
    );
    let uri: TokenUri = "hsm:258?serialNumber=1&manufacturerID=Nitrokey&model=x"
        .parse()
        .unwrap();
    assert_eq!(uri.id, Some(vec![1, 2]));
    assert_eq!(uri.manufacturer.as_deref(), Some("Nitrokey"));
    assert_eq!((uri.model.as_deref(), uri.says_more()), (Some("x"), true));
    let zero: TokenUri = "hsm:0?serialNumber=1".parse().unwrap();
    assert_eq!(zero.id, Some(vec![0]));
    let agreed: TokenUri = "hsm:?label=YubiKey+PIV+%231&serialNumber=1"
        .parse()
        .unwrap();
    assert_eq!(agreed.choice().serial.as_deref(), Some("1"));
    let own: TokenUri = "hsm:?label=YubiKey+PIV+%23".parse().unwrap();
    assert_eq!(own.choice().label.as_deref(), Some("YubiKey PIV #"));
}

#[test]
fn what_a_uri_says_beyond_the_token_is_noticed() {
    for (written, more) in [
        ("serial=1", false),
        ("pkcs11:serial=1;token=x", false),
        ("pkcs11:serial=1;id=%02", true),
        ("pkcs11:serial=1;object=x", true),
        ("pkcs11:serial=1;model=x", true),
        ("pkcs11:serial=1?module-path=/x", true),
    ] {
        let uri: TokenUri = written.parse().unwrap();
        assert_eq!(uri.says_more(), more, "{written}");
    }
}

#[test]
fn bad_uri_is_refused_with_its_reason() {
    for (written, reason) in [
        (
            "",
            "a token is named by a pkcs11: URI (RFC 7512), by serial=NUMBER, or by an hsm: URI of securesystemslib",
        ),
        (
            "file:x",
            "a token is named by a pkcs11: URI (RFC 7512), by serial=NUMBER, or by an hsm: URI of securesystemslib",
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
        (
            "hsm:",
            "it names no token: serial or token (the label) is needed",
        ),
        (
            "hsm:2",
            "it names no token: serial or token (the label) is needed",
        ),
        (
            "hsm:9c?label=x",
            "9c is not the number of a key: hsm: is followed by a whole number or nothing",
        ),
        (
            "hsm:-1?label=x",
            "-1 is not the number of a key: hsm: is followed by a whole number or nothing",
        ),
        ("hsm:2?label=x&label=y", "label is given twice"),
        (
            "hsm:2?label=YubiKey+PIV+%231&serialNumber=2",
            "its label and its serialNumber are of different YubiKeys",
        ),
        (
            "hsm:2?label=x&slotID=1",
            "tokens and keys are not found by the attribute slotID here",
        ),
        (
            "hsm:2?label=x&pin-value=1234",
            "pin-value is not accepted: a PIN is typed or comes by a descriptor, never from a file that is shown and kept",
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
