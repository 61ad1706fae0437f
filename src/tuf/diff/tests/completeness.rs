//! Nothing is overlooked.
use super::*;
use crate::tuf::value::Value;

/// Every way to change one place of `value`: leaves replaced, members and elements removed, members added.
fn mutations(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    match value {
        Value::Object(members) => {
            for (index, (name, member)) in members.iter().enumerate() {
                let put = |new: Value| {
                    let mut members = members.clone();
                    members[index].1 = new;
                    Value::Object(members)
                };
                found.extend(mutations(member).into_iter().map(put));
                let mut value = value.clone();
                value.remove(name);
                found.push(value);
            }
            let mut value = value.clone();
            value.set("x-added", Value::Object(Vec::new()));
            found.push(value);
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let put = |new: Value| {
                    let mut elements = elements.clone();
                    elements[index] = new;
                    Value::Array(elements)
                };
                found.extend(mutations(element).into_iter().map(put));
            }
            let mut reversed = elements.clone();
            reversed.reverse();
            found.push(Value::Array(reversed));
            found.push(Value::Array(
                elements[..elements.len().saturating_sub(1)].to_vec(),
            ));
        }
        Value::String(text) => found.push(Value::string(format!("{text}0"))),
        Value::Integer(number) => found.push(Value::Integer(number + 1)),
        Value::Bool(value) => found.push(Value::Bool(!value)),
        Value::Null => {}
    }
    found
}

#[test]
fn no_change_of_one_place_passes_for_a_renewal() {
    let keys = format!(
        r#"{{"ada":{},"{}":{}}}"#,
        fixture::key_json(1),
        fixture::keyid(2),
        fixture::key_json(2)
    );
    let root = fixture::root_with(
        1,
        &keys,
        &fixture::role_json(&["ada".to_owned(), fixture::keyid(2).0], 1),
    );
    let bins = targets();
    let start = bins.find("\"roles\":[").unwrap();
    let end = bins.find("},\"expires\"").unwrap();
    let bins = format!(
        r#"{}"succinct_roles":{{"bit_length":14,"keyids":["{}"],"name_prefix":"bin","threshold":1}}{}"#,
        &bins[..start],
        fixture::keyid(1),
        &bins[end..]
    );
    let mut judged = 0;
    for signed in [root, targets(), bins] {
        let old = parse(&signed);
        let original = Value::from_json(old.signed());
        for mutation in mutations(&original) {
            let new = Envelope::unsigned("new", &mutation).unwrap();
            let Ok(diff) = between(Some(&old), &new) else {
                continue;
            };
            let mut restored = mutation.clone();
            for name in RENEWED {
                restored.set(name, original.get(name).unwrap().clone());
            }
            let renewal = restored.canonical() == original.canonical();
            assert_eq!(
                diff.is_renewal(),
                renewal,
                "{}",
                String::from_utf8_lossy(&new.bytes())
            );
            judged += 1;
        }
    }
    assert!(judged > 60, "{judged}");
}

#[test]
fn the_first_name_of_a_path_is_found_however_it_is_written() {
    for name in [
        "roles", "x.y", "a b", "", "\"", "\\", "\\\"", "a\\", "\u{1b}", "é", "x\".\"y",
    ] {
        let path = fields::join("", name);
        for rest in ["", ".threshold", " key", ".\"q\".z", " \"q\" key"] {
            assert_eq!(fields::first(&format!("{path}{rest}")), path, "{name:?}");
        }
    }
}
