//! Every byte of a bundle: changed, cut, said twice.

use super::*;

#[test]
fn no_changed_byte_of_a_bundle_is_taken_for_anything_else() {
    let good = bytes(&order().bundle());
    let (root, wanted) = (our_root(), identity(ALICE, ISSUER));
    let verdict = verify(&root, "r", &good, STATEMENT, &wanted, at()).unwrap();
    let (mut tried, mut taken) = (0, Vec::new());
    // A step that shares no divisor with base64's groups meets every place in them.
    for place in (0..good.len()).step_by(5) {
        let mut changed = good.clone();
        // A letter or digit to a neighbour: text stays text.
        changed[place] ^= 1;
        tried += 1;
        if let Ok(found) = verify(&root, "r", &changed, STATEMENT, &wanted, at()) {
            assert_eq!(found, verdict, "byte {place}");
            taken.push(place);
        }
    }
    // Names of members that may be missing, such as the digest beside the signature.
    assert!(
        taken.len() * 20 < tried,
        "{} of {tried}: {taken:?}",
        taken.len()
    );
    for end in (0..good.len()).step_by(97) {
        verify(&root, "r", &good[..end], STATEMENT, &wanted, at()).unwrap_err();
    }
}

#[test]
fn every_signed_value_of_a_bundle_is_verified() {
    let whole = order().bundle();
    let mut places = Vec::new();
    leaves(&whole, String::new(), &mut places);
    assert!(places.len() > 15, "{places:?}");
    let mut taken = Vec::new();
    for place in places {
        let mut changed = whole.clone();
        let text = changed.pointer_mut(&place).unwrap();
        let found = text.as_str().unwrap();
        *text = match BASE64.decode(found.as_bytes()) {
            Ok(mut data) if data.len() > 8 => {
                let middle = data.len() / 2;
                data[middle] ^= 1;
                json!(BASE64.encode(&data))
            }
            _ => json!(format!("{found}1")),
        };
        if judged(&changed).is_ok() {
            taken.push(place);
        }
    }
    assert_eq!(taken, Vec::<String>::new());
}

fn leaves(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                leaves(value, format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, format!("{place}/{index}"), found);
            }
        }
        _ => found.push(place),
    }
}

#[test]
fn bundles_that_two_readers_could_take_for_two_things_are_refused() {
    let good = String::from_utf8(bytes(&order().bundle())).unwrap();
    let wanted = identity(ALICE, ISSUER);
    let root = our_root();
    let judge = |text: &[u8]| verify(&root, "r", text, STATEMENT, &wanted, at());
    judge(good.as_bytes()).unwrap();
    let twice = good.replacen(
        '{',
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",",
        1,
    );
    refused(judge(twice.as_bytes()), "SIGSTORE-BUNDLE", "occurs twice");
    let wide = good.replacen(
        '{',
        &format!("{{\"padding\":\"{}\",", "x".repeat(1 << 20)),
        1,
    );
    refused(
        judge(wide.as_bytes()),
        "SIGSTORE-BUNDLE",
        "at most 65536 are read",
    );
    let cut = &good.as_bytes()[..good.len() - 1];
    refused(judge(cut), "SIGSTORE-BUNDLE", "the text ends too early");
    let future = good.replace("bundle.v0.3+json", "bundle.v0.9+json");
    refused(judge(future.as_bytes()), "SIGSTORE-BUNDLE", "v0.9");
    refused(judge(b"[]"), "SIGSTORE-BUNDLE", "none that is taken");

    let mut by_key = order().bundle();
    let material = by_key["verificationMaterial"].as_object_mut().unwrap();
    material.remove("certificate");
    material.insert("publicKey".to_owned(), json!({"hint": "x"}));
    refused(judged(&by_key), "SIGSTORE-BUNDLE", "it has no certificate");
    let mut times = order().bundle();
    let token = json!({"signedTimestamp": "AAAA"});
    times["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": vec![token; 5]});
    refused(judged(&times), "SIGSTORE-BUNDLE", "5 timestamps; at most 4");
    let twice = Order {
        twice: true,
        ..order()
    };
    refused(
        judged(&twice.bundle()),
        "SIGSTORE-BUNDLE",
        "has the extension 1.3.6.1.4.1.57264.1.8 twice",
    );
    let mut longer = order().bundle();
    let der = longer
        .pointer_mut("/verificationMaterial/certificate/rawBytes")
        .unwrap();
    let mut data = BASE64.decode(der.as_str().unwrap().as_bytes()).unwrap();
    data.push(0);
    *der = json!(BASE64.encode(&data));
    refused(
        judged(&longer),
        "SIGSTORE-BUNDLE",
        "its certificate cannot be read",
    );
}
