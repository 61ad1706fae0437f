//! The seven rows.

use tuf_ceremony::ceremony::event::Custody;
use tuf_ceremony::ceremony::port::TokenFault::{PinIncorrect, PinLocked};
use tuf_ceremony::ceremony::port::{PinPolicy, TouchPolicy, Usage};
use tuf_ceremony::ceremony::prompt::Tries::{Final, Left, Locked, Low, Unknown};
use tuf_ceremony::tuf::key::Algorithm::{EcdsaP256, EcdsaP384, Ed25519, RsaPss};

use super::row::{Keys, Needed, Row, Stage};
use super::{PIN, SOFTHSM};

/// A PIN as PIV cards take it; not the maker's.
pub const CARD_PIN: &str = "Zx9-7f3Q";

const PROVEN: Custody = Custody {
    always_sensitive: Some(true),
    never_extractable: Some(true),
    local: Some(true),
    wrapped_only: None,
};

const NOT_PROVEN: Custody = Custody {
    always_sensitive: None,
    never_extractable: None,
    local: None,
    wrapped_only: None,
};

const BROUGHT: Custody = Custody {
    always_sensitive: Some(false),
    never_extractable: Some(false),
    local: Some(false),
    wrapped_only: None,
};

/// PKCS#11 has a word for "each time" and none for a touch.
const NOTHING_SAID: Usage = Usage {
    pin: PinPolicy::Unknown,
    touch: TouchPolicy::Unknown,
    longest: None,
};

/// In the order of the page.
pub static ALL: [&Row; 7] = [&SOFTHSM2, &NSS, &TPM2, &OPENSC, &YKCS11, &NATIVE, &SOFTWARE];

pub static SOFTWARE: Row = Row {
    name: "software keys",
    stage: Stage::Memory,
    library: None,
    needs: &[],
    pin: PIN,
    wrong: "wrong-pin",
    keys: Keys::Ours,
    calls_cards_by_chuid: false,
    label: "one",
    signs: &[Ed25519, EcdsaP256, EcdsaP384],
    custody: PROVEN,
    custody_of_imported: Some(BROUGHT),
    usage: NOTHING_SAID,
    tries: [Left(3), Left(2), Left(1), Locked, Locked],
    refusals: [PinIncorrect, PinIncorrect, PinIncorrect, PinLocked],
    locks_after: Some(3),
    right_pin_resets: true,
    attestation: 0,
    also_lists: &[],
    gaps: "rehearsals and ephemeral keys only",
};

pub static SOFTHSM2: Row = Row {
    name: "SoftHSM2",
    stage: Stage::SoftHsm,
    library: Some(Needed {
        path: SOFTHSM,
        package: "softhsm2",
    }),
    needs: &[Needed {
        path: "pkcs11-tool",
        package: "opensc",
    }],
    pin: PIN,
    wrong: "wrong-pin",
    keys: Keys::Ours,
    calls_cards_by_chuid: false,
    label: "one",
    signs: &[Ed25519, EcdsaP256, EcdsaP384, RsaPss],
    custody: PROVEN,
    custody_of_imported: Some(BROUGHT),
    usage: NOTHING_SAID,
    tries: [Unknown, Low, Low, Low, Low],
    refusals: [PinIncorrect, PinIncorrect, PinIncorrect, PinIncorrect],
    locks_after: None,
    right_pin_resets: true,
    attestation: 0,
    also_lists: &[],
    gaps: "refused in production; sees a token that was put back only after the module is started anew",
};

pub static NSS: Row = Row {
    name: "NSS softokn",
    stage: Stage::Nss,
    library: Some(Needed {
        path: "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
        package: "libnss3",
    }),
    needs: &[Needed {
        path: "certutil",
        package: "libnss3-tools",
    }],
    pin: PIN,
    wrong: "wrong-pin",
    keys: Keys::Ours,
    calls_cards_by_chuid: false,
    label: "NSS Certificate DB",
    signs: &[EcdsaP256, EcdsaP384, RsaPss],
    custody: Custody {
        local: None,
        ..PROVEN
    },
    custody_of_imported: Some(BROUGHT),
    usage: NOTHING_SAID,
    tries: [Unknown, Unknown, Unknown, Unknown, Unknown],
    refusals: [PinIncorrect, PinIncorrect, PinIncorrect, PinIncorrect],
    locks_after: None,
    right_pin_resets: true,
    attestation: 0,
    also_lists: &[],
    gaps: "wants `init_args`; says of keys it made that it did not make them",
};

pub static TPM2: Row = Row {
    name: "tpm2-pkcs11 on swtpm",
    stage: Stage::Swtpm,
    library: Some(Needed {
        path: super::swtpm::MODULE,
        package: "libtpm2-pkcs11-1",
    }),
    needs: &[
        Needed {
            path: "swtpm",
            package: "swtpm",
        },
        Needed {
            path: "swtpm_setup",
            package: "swtpm-tools",
        },
        Needed {
            path: "tpm2_ptool",
            package: "libtpm2-pkcs11-tools",
        },
        Needed {
            path: "pkcs11-tool",
            package: "opensc",
        },
        Needed {
            path: "tpm2_flushcontext",
            package: "tpm2-tools",
        },
    ],
    pin: PIN,
    wrong: "wrong-pin",
    keys: Keys::Ours,
    calls_cards_by_chuid: false,
    label: "one",
    signs: &[EcdsaP256, EcdsaP384, RsaPss],
    custody: PROVEN,
    custody_of_imported: Some(BROUGHT),
    usage: NOTHING_SAID,
    tries: [Unknown, Unknown, Unknown, Unknown, Unknown],
    refusals: [PinIncorrect, PinIncorrect, PinIncorrect, PinLocked],
    locks_after: Some(3),
    right_pin_resets: false,
    attestation: 0,
    also_lists: &[],
    gaps: "a right PIN does not put its counter back; without a resource manager one key a login; serial all zeros",
};

pub static OPENSC: Row = Row {
    name: "OpenSC on a virtual YubiKey",
    library: Some(Needed {
        path: "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
        package: "opensc-pkcs11",
    }),
    keys: Keys::Beforehand,
    calls_cards_by_chuid: true,
    label: "YubiKey PIV Attestation 9a",
    refusals: [PinIncorrect, PinIncorrect, PinLocked, PinLocked],
    tries: [Unknown, Unknown, Final, Locked, Locked],
    usage: NOTHING_SAID,
    // It says the same of every key, so the program takes nothing from it.
    custody: NOT_PROVEN,
    custody_of_imported: Some(NOT_PROVEN),
    attestation: 0,
    signs: &[EcdsaP256, EcdsaP384, RsaPss],
    gaps: "shows a key only beside a certificate, from which the token's label comes; serial is the end of the CHUID's UUID, zeros without one",
    ..YUBIKEY
};

pub static YKCS11: Row = Row {
    name: "ykcs11 on a virtual YubiKey",
    library: Some(Needed {
        path: "/usr/lib/x86_64-linux-gnu/libykcs11.so.2",
        package: "ykcs11",
    }),
    keys: Keys::Beforehand,
    label: "YubiKey PIV #",
    tries: [Unknown, Low, Final, Locked, Locked],
    refusals: [PinIncorrect, PinIncorrect, PinLocked, PinLocked],
    usage: NOTHING_SAID,
    custody: PROVEN,
    custody_of_imported: None,
    attestation: 2,
    also_lists: &["Public key for PIV Attestation"],
    signs: &[EcdsaP256, EcdsaP384, RsaPss],
    gaps: "lists the maker's attestation key too; with an Ed25519 key on the card it shows none; keys of the card before can stay listed after a swap",
    ..YUBIKEY
};

pub static NATIVE: Row = YUBIKEY;

const YUBIKEY: Row = Row {
    name: "native YubiKey backend",
    stage: Stage::Cards,
    library: None,
    needs: &[],
    pin: CARD_PIN,
    wrong: "000000",
    keys: Keys::Ours,
    calls_cards_by_chuid: false,
    label: "YubiKey PIV #",
    signs: &[Ed25519, EcdsaP256, EcdsaP384, RsaPss],
    custody: PROVEN,
    custody_of_imported: Some(BROUGHT),
    usage: Usage {
        pin: PinPolicy::Always,
        touch: TouchPolicy::Always,
        longest: None,
    },
    tries: [Left(3), Left(2), Left(1), Locked, Locked],
    refusals: [PinIncorrect, PinIncorrect, PinIncorrect, PinLocked],
    locks_after: Some(3),
    right_pin_resets: true,
    attestation: 2,
    also_lists: &[],
    gaps: "firmware 4 and 5 only; makes keys from firmware 5.3 on",
};
