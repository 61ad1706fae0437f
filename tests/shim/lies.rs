//! Calls that succeed with a wrong result.

use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{AttributeInfo, AttributeType};

use super::*;

/// Attributes of keys that a program looks at.
pub(crate) const SEEN: &[AttributeType] = &[
    AttributeType::Class,
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::KeyType,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::Sensitive,
    AttributeType::Extractable,
    AttributeType::Local,
    AttributeType::AlwaysAuthenticate,
];

const MESSAGE: &[u8] = DIGEST;
const LATER: &[u8] = b"another digest, thirty-two bytes";

/// A key pair of each algorithm.
const ALGORITHMS: [(&str, &str); 3] = [
    ("p256", "EC:prime256v1"),
    ("ed25519", "EC:edwards25519"),
    ("rsa", "rsa:2048"),
];

fn mechanism(label: &str) -> Mechanism<'static> {
    match label {
        "ed25519" => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
        "rsa" => Mechanism::Sha256RsaPkcs,
        _ => Mechanism::Ecdsa,
    }
}

fn sign_with(session: &Session, label: &str, message: &[u8]) -> Result<Vec<u8>, Error> {
    let private = key(session, ObjectClass::PRIVATE_KEY, label);
    session.sign(&mechanism(label), private, message)
}

fn is_by(session: &Session, label: &str, message: &[u8], signature: &[u8]) -> bool {
    let public = key(session, ObjectClass::PUBLIC_KEY, label);
    session
        .verify(&mechanism(label), public, message, signature)
        .is_ok()
}

#[test]
fn signature_lies_in_each_way_and_with_each_algorithm() {
    let test = name!(signature_lies_in_each_way_and_with_each_algorithm);
    if is_inside() {
        return each_algorithm(&Loaded::from_environment());
    }
    let folder = prepared();
    for (label, kind) in ALGORITHMS {
        make_key(folder.path(), label, kind);
        make_key(folder.path(), &format!("{label}-other"), kind);
    }
    let configuration = folder.path().join("softhsm2.conf");
    let shim = Shim::plan().softhsm(&configuration).install(folder.path());
    for lie in [
        "flip",
        "zero",
        "short",
        "long",
        "empty",
        "stale",
        "other-key",
        "other-payload",
    ] {
        // The first three signatures are right, each in two calls.
        shim.replan(
            &Shim::plan()
                .softhsm(&configuration)
                .fault("C_Sign", "7+", lie),
        );
        fs::write(folder.path().join("lie"), lie).unwrap();
        let ran = again(test, folder.path(), shim.module()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
        assert!(
            ran.status.success() && said.contains("1 passed"),
            "{lie}: {said}"
        );
        let told = if lie == "long" { 6 } else { 3 };
        assert_eq!(shim.log().lied("C_Sign"), told, "{lie}");
        assert_eq!(shim.log().signatures(), 6);
    }
}

fn each_algorithm(loaded: &Loaded) {
    let lie = fs::read_to_string(loaded.folder.join("lie")).unwrap();
    let session = loaded.logged_in();
    let mut right = Vec::new();
    for (label, _) in ALGORITHMS {
        let signature = sign_with(&session, label, MESSAGE).unwrap();
        assert!(is_by(&session, label, MESSAGE, &signature), "{label}");
        right.push(signature);
    }
    for ((label, _), right) in ALGORITHMS.iter().zip(&right) {
        let wrong = sign_with(&session, label, LATER).unwrap();
        assert!(!is_by(&session, label, LATER, &wrong), "{lie} {label}");
        let length = match lie.as_str() {
            "short" => right.len() - 1,
            "long" => right.len() + 1,
            "empty" => 0,
            _ => right.len(),
        };
        assert_eq!(wrong.len(), length, "{lie} {label}");
        let mut altered = LATER.to_vec();
        altered[0] ^= 1;
        match lie.as_str() {
            "zero" => assert!(wrong.iter().all(|byte| *byte == 0)),
            "other-payload" => assert!(is_by(&session, label, &altered, &wrong), "{label}"),
            "other-key" => {
                // SoftHSM crashes when it verifies with a key of another type.
                let others = match *label {
                    "p256" => vec!["first", "second", "p256-other"],
                    "ed25519" => vec!["ed25519-other"],
                    _ => vec!["rsa-other"],
                };
                let by_another = |other: &&&str| is_by_as(&session, other, label, &wrong);
                assert_eq!(others.iter().filter(by_another).count(), 1, "{label}");
            }
            "stale" if *label == "rsa" => assert_eq!(wrong, *right),
            _ => {}
        }
    }
}

fn is_by_as(session: &Session, other: &str, label: &str, signature: &[u8]) -> bool {
    let public = key(session, ObjectClass::PUBLIC_KEY, other);
    session
        .verify(&mechanism(label), public, LATER, signature)
        .is_ok()
}

#[test]
fn signature_in_parts_lies_too() {
    let test = name!(signature_in_parts_lies_too);
    if is_inside() {
        let session = Loaded::from_environment().logged_in();
        let private = key(&session, ObjectClass::PRIVATE_KEY, "rsa");
        for right in [true, false, false] {
            session
                .sign_init(&Mechanism::Sha256RsaPkcs, private)
                .unwrap();
            session.sign_update(MESSAGE).unwrap();
            let signature = session.sign_final().unwrap();
            assert_eq!(is_by(&session, "rsa", MESSAGE, &signature), right);
        }
        return;
    }
    let folder = prepared();
    make_key(folder.path(), "rsa", "rsa:2048");
    // cryptoki asks for the length first.
    let plan = Shim::plan().fault("C_SignFinal", "4", "flip");
    let ran = run_in(
        test,
        folder,
        &plan.fault("C_SignFinal", "6", "other-payload"),
    );
    ran.held(test);
    assert_eq!((ran.log.lied("C_SignFinal"), ran.log.signatures()), (2, 3));
}

#[test]
fn no_other_key_is_said_so() {
    let test = name!(no_other_key_is_said_so);
    if is_inside() {
        let session = Loaded::from_environment().logged_in();
        assert_eq!(
            code(sign_with(&session, "ed25519", MESSAGE)),
            RvError::FunctionFailed
        );
        return;
    }
    let folder = prepared();
    make_key(folder.path(), "ed25519", "EC:edwards25519");
    let ran = run_in(
        test,
        folder,
        &Shim::plan().fault("C_Sign", "*", "other-key"),
    );
    ran.held(test);
    assert_eq!(ran.log.broken()[0].faults, ["no-other-key"]);
    assert_eq!(ran.log.lied("C_Sign"), 0);
}

#[test]
fn length_that_is_claimed_is_said() {
    let plan = Shim::plan().fault("C_Sign", "2", "claims 7");
    let log = holds(name!(length_that_is_claimed_is_said), &plan, |loaded| {
        let session = loaded.logged_in();
        assert_eq!(signed(&session).unwrap().len(), 7);
        assert_eq!(signed(&session).unwrap().len(), 64);
    });
    let Some(log) = log else { return };
    assert_eq!(log.lied("C_Sign"), 1);
}

#[test]
fn attribute_lies_in_each_way() {
    let plan = [
        "other",
        "bare",
        "truncated",
        "garbage",
        "hex:0102",
        "absent",
    ]
    .iter()
    .zip(2..)
    .fold(Shim::plan(), |plan, (lie, number)| {
        // cryptoki asks twice, for the length and for the value.
        let calls = format!("{}-{}", 2 * number - 1, 2 * number);
        plan.fault(
            "C_GetAttributeValue",
            &calls,
            &format!("CKA_EC_POINT {lie}"),
        )
    });
    let log = holds(name!(attribute_lies_in_each_way), &plan, |loaded| {
        let session = loaded.session();
        let public = key(&session, ObjectClass::PUBLIC_KEY, "first");
        let point = || {
            let asked = [AttributeType::EcParams, AttributeType::EcPoint];
            let told = session.get_attributes(public, &asked).unwrap();
            assert!(matches!(&told[0], Attribute::EcParams(p256) if p256.len() == 10));
            match told.get(1) {
                Some(Attribute::EcPoint(point)) => point.clone(),
                None => Vec::new(),
                other => panic!("{other:?}"),
            }
        };
        let truth = point();
        assert_eq!((truth.len(), &truth[..3]), (67, &b"\x04\x41\x04"[..]));
        let other = point();
        assert_eq!(
            (other.len(), &other[..7]),
            (67, &b"\x04\x41\x04\x6b\x17\xd1\xf2"[..])
        );
        p256::ecdsa::VerifyingKey::from_sec1_bytes(&other[2..]).unwrap();
        assert_eq!(point(), truth[2..]);
        assert_eq!(point(), truth[..66]);
        assert_eq!(point(), [0x5a; 67]);
        assert_eq!(point(), [1, 2]);
        assert_eq!(point(), [0; 0]);
        assert_eq!(point(), truth);
    });
    let Some(log) = log else { return };
    // What is absent is not asked for its value.
    assert!((11..=12).contains(&log.lied("C_GetAttributeValue")));
}

#[test]
fn another_point_or_modulus_is_one_that_could_be_right() {
    let test = name!(another_point_or_modulus_is_one_that_could_be_right);
    if is_inside() {
        let session = Loaded::from_environment().session();
        let told = |label: &str, wanted| {
            let public = key(&session, ObjectClass::PUBLIC_KEY, label);
            match session.get_attributes(public, &[wanted]).unwrap().pop() {
                Some(Attribute::EcPoint(value) | Attribute::Modulus(value)) => value,
                other => panic!("{other:?}"),
            }
        };
        p384::ecdsa::VerifyingKey::from_sec1_bytes(&told("p384", AttributeType::EcPoint)[2..])
            .unwrap();
        let edwards = told("ed25519", AttributeType::EcPoint)[2..]
            .try_into()
            .unwrap();
        let edwards = ed25519_dalek::VerifyingKey::from_bytes(&edwards).unwrap();
        assert!(!edwards.is_weak());
        let modulus = told("rsa", AttributeType::Modulus);
        assert_eq!(
            (modulus.len(), modulus[0] >> 7, modulus[255] & 1),
            (256, 1, 1)
        );
        return;
    }
    let folder = prepared();
    for (label, kind) in [
        ("p384", "EC:secp384r1"),
        ("ed25519", "EC:edwards25519"),
        ("rsa", "rsa:2048"),
    ] {
        make_key(folder.path(), label, kind);
    }
    let plan = Shim::plan().fault("C_GetAttributeValue", "*", "CKA_EC_POINT other");
    let plan = plan.fault("C_GetAttributeValue", "*", "CKA_MODULUS other");
    let ran = run_in(test, folder, &plan);
    ran.held(test);
    assert_eq!(ran.log.lied("C_GetAttributeValue"), 6);
}

#[test]
fn length_of_an_attribute_lies() {
    let plan = Shim::plan()
        .fault("C_GetAttributeValue", "1", "CKA_EC_POINT huge")
        .fault("C_GetAttributeValue", "2", "CKA_EC_POINT unavailable");
    let log = holds(name!(length_of_an_attribute_lies), &plan, |loaded| {
        let session = loaded.session();
        let public = key(&session, ObjectClass::PUBLIC_KEY, "first");
        for said in ["Available(1099511627776)", "Unavailable", "Available(67)"] {
            let info = session
                .get_attribute_info(public, &[AttributeType::EcPoint])
                .unwrap();
            assert_eq!(format!("{:?}", info[0]), said);
            let _: &AttributeInfo = &info[0];
        }
    });
    let Some(log) = log else { return };
    assert_eq!(log.lied("C_GetAttributeValue"), 2);
}

#[test]
fn custody_and_labels_of_keys_lie() {
    let plan = Shim::plan()
        .fault("C_GetAttributeValue", "*", "private CKA_EXTRACTABLE other")
        .fault("C_GetAttributeValue", "*", "private CKA_SENSITIVE false")
        .fault("C_GetAttributeValue", "*", "public CKA_LABEL invalid-utf8");
    let log = holds(name!(custody_and_labels_of_keys_lie), &plan, |loaded| {
        let session = loaded.logged_in();
        let told = |class| {
            let object = key(&session, class, "first");
            session.get_attributes(object, SEEN).unwrap()
        };
        let private = told(ObjectClass::PRIVATE_KEY);
        assert!(private.contains(&Attribute::Extractable(true)));
        assert!(private.contains(&Attribute::Sensitive(false)));
        assert!(private.contains(&Attribute::Label(b"first".to_vec())));
        let public = told(ObjectClass::PUBLIC_KEY);
        assert!(public.contains(&Attribute::Label(b"\xff\xfe\xc3\x28\xe2\x82".to_vec())));
    });
    let Some(log) = log else { return };
    // cryptoki asks once for values of known size, twice for others.
    assert_eq!(log.lied("C_GetAttributeValue"), 3);
}
