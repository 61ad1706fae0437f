//! Changed copies: none is believed, and each says why.

use super::{all, here, rules, verify};

pub(crate) fn another_key() {
    let reals = all();
    for (index, key) in reals.iter().enumerate() {
        let of = &reals[(index + 1) % reals.len()];
        let faults = verify(&key.public, &of.certificates).unwrap_err();
        let expected = format!(
            "the attestation is for the key with the fingerprint {}, not for {}; it proves nothing about the latter. \
             Give the attestation that the device made for this key",
            of.public.fingerprint(),
            key.public.fingerprint()
        );
        assert_eq!((faults.len(), faults[0].to_string()), (1, expected));
        assert_eq!(faults[0].rule(), "ATTEST-KEY");
    }
}

pub(crate) fn another_device() {
    let [yubikey, yubihsm] = here();
    let swapped = [
        yubikey.certificates[0].clone(),
        yubihsm.certificates[1].clone(),
    ];
    let faults = verify(&yubikey.public, &swapped).unwrap_err();
    assert_eq!(faults[0].rule(), "ATTEST-CHAIN");
    assert_eq!(
        faults[0].to_string(),
        "the path from \"YubiKey PIV Attestation 9c\" to a root ends early: its issuer \"Yubico PIV Attestation\" is missing. \
         Give the device's certificate and every certificate between it and the root"
    );
}

pub(crate) fn missing() {
    for real in all() {
        assert_eq!(
            rules(&real.public, &real.certificates[..1]),
            ["ATTEST-CHAIN"],
            "{}",
            real.name
        );
    }
}

pub(crate) fn capability() {
    let [_, hsm] = here();
    let leaf = &hsm.certificates[0];
    // In the capabilities sign-eddsa becomes sign-eddsa and exportable-under-wrap.
    let oid = [0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 4, 5];
    let at = leaf
        .windows(oid.len())
        .position(|window| window == oid)
        .unwrap()
        + oid.len();
    let mut changed = leaf.clone();
    // OCTET STRING, BIT STRING, no unused bits, then 64 bits.
    assert_eq!(
        changed[at..at + 13],
        [4, 11, 3, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    );
    changed[at + 10] ^= 1;
    let faults = verify(&hsm.public, &[changed, hsm.certificates[1].clone()]).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "\"YubiHSM Attestation id:0x0003\" names \"YubiHSM Attestation (34331133)\" as its issuer, but no certificate of that \
         name signed it; it was changed, or it comes from another device. Export both certificates from the same device again"
    );
    assert_eq!((faults.len(), faults[0].rule()), (1, "ATTEST-SIGNATURE"));
}

pub(crate) fn flipped() {
    for real in all() {
        let leaf = &real.certificates[0];
        // SEQUENCE of two length bytes around what is signed, which says its own length.
        assert_eq!(leaf[..2], [0x30, 0x82]);
        let length = usize::from(u16::from_be_bytes([leaf[6], leaf[7]])) + 4;
        for index in 4..4 + length {
            let mut changed = leaf.clone();
            changed[index] ^= 1 << (index % 8);
            let refused = verify(&real.public, &[changed, real.certificates[1].clone()]).is_err();
            assert!(refused, "{}: byte {index}", real.name);
        }
    }
}

pub(crate) fn trailing() {
    for real in all() {
        let [leaf, device] = real.certificates.as_slice() else {
            panic!()
        };
        let longer = [leaf.as_slice(), &[0]].concat();
        let doubled = [leaf.as_slice(), leaf].concat();
        let padded = [leaf.as_slice(), &vec![0; 10_000]].concat();
        for bad in [
            longer,
            doubled,
            padded,
            Vec::new(),
            leaf[..leaf.len() - 1].to_vec(),
        ] {
            assert_eq!(
                rules(&real.public, &[bad, device.clone()]),
                ["ATTEST-FORM"],
                "{}",
                real.name
            );
        }
    }
}

/// Deletions, repetitions, overwritten lengths and splices at places that depend on the number alone.
pub(crate) fn mutations() {
    let reals = all();
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for number in 0..2000 {
        let real = &reals[number % reals.len()];
        let mut certificates = real.certificates.clone();
        // What is signed and what signs; a change behind both could not be told from none.
        let which = number / reals.len() % 2;
        let bytes = &mut certificates[which];
        let (at, value) = (next(bytes.len()), next(256));
        let before = bytes.clone();
        match number % 5 {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, u8::try_from(value).unwrap()),
            2 => bytes[at] = u8::try_from(value).unwrap(),
            3 => bytes.truncate(at),
            _ => {
                let part = bytes[at..].to_vec();
                bytes.extend(part);
            }
        }
        let changed = *bytes != before;
        assert_eq!(
            verify(&real.public, &certificates).is_err(),
            changed,
            "{number}"
        );
    }
}
