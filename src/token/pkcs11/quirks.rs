//! Where modules depart from the standard, as a table. Each row is a module (or one kind of token behind it), each field one departure; a field that is
//! not named in a row is as the standard has it. docs/tokens.md repeats the rows with their sentences, and a test holds the two together.

/// What is peculiar to a module or to a kind of token behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a departure of its own, and a row names the few that it has"
)]
pub struct Quirks {
    /// What people call it.
    pub name: &'static str,
    /// A part of the module's `manufacturer: description`.
    library: &'static str,
    /// A part of the token's `manufacturer model`; empty: whatever the token is.
    token: &'static str,
    /// Whether this project's own suite runs over it; the cards behind ykcs11 and `OpenSC` are virtual.
    pub tested: bool,
    /// A token that was taken out and put back is seen again only after `C_Finalize` and `C_Initialize`.
    pub restarts: bool,
    /// `CKA_LOCAL` is false on keys that it made itself, so a false proves nothing.
    pub local_says_nothing: bool,
    /// It says of every key that it was made on the token and never left it, of one that was brought in too: nothing is proven.
    pub custody_says_nothing: bool,
    /// `CKR_ARGUMENTS_BAD` of `C_Login` means that the PIN has a wrong length.
    pub arguments_bad_is_pin_form: bool,
    /// What a PIN looks like, where the standard's words do not say it.
    pub pin_form: Option<&'static str>,
    /// A key with `CKA_ALWAYS_AUTHENTICATE` signs once after a plain login; `CKU_CONTEXT_SPECIFIC` (PKCS#11 2.40, 5.6) is refused or not needed.
    pub plain_login_for_each_signature: bool,
    /// One key for each login: a second one finds the device full.
    pub one_key_a_login: bool,
    /// What the module puts behind the label that the token was given.
    pub label_suffix: Option<&'static str>,
    /// Bytes of the `CKA_ID` that a new key is given.
    pub id_bytes: usize,
    /// The longest message for Ed25519, in bytes.
    pub longest_eddsa: Option<usize>,
    /// It shows attestation certificates of its keys as certificate objects.
    pub attests: bool,
    /// Its `CKM_AES_KEY_WRAP_PAD` is RFC 5649, for which the standard has `CKM_AES_KEY_WRAP_KWP` since 3.0.
    pub pad_is_kwp: bool,
    /// It does not wrap Ed25519 keys.
    pub wraps_no_eddsa: bool,
    /// Why no key leaves it wrapped or is restored on it, where it has the mechanism.
    pub wraps_nothing: Option<&'static str>,
    /// Why tokens are not initialised or reset through it, and with what they are.
    pub initialised_by: Option<&'static str>,
    /// How a token that is in use is made blank, where `C_InitToken` works on a blank one only.
    pub erased_by: Option<&'static str>,
    /// What else to know, for docs/tokens.md.
    pub notes: &'static [&'static str],
}

/// As the standard has it.
const STANDARD: Quirks = Quirks {
    name: "another module",
    library: "",
    token: "",
    tested: false,
    restarts: false,
    local_says_nothing: false,
    custody_says_nothing: false,
    arguments_bad_is_pin_form: false,
    pin_form: None,
    plain_login_for_each_signature: false,
    one_key_a_login: false,
    label_suffix: None,
    id_bytes: 8,
    longest_eddsa: None,
    attests: false,
    pad_is_kwp: false,
    wraps_no_eddsa: false,
    wraps_nothing: None,
    initialised_by: None,
    erased_by: None,
    notes: &[],
};

/// The rows, the narrower before the wider.
pub const TABLE: &[Quirks] = &[
    Quirks {
        name: "SoftHSM 2",
        library: "SoftHSM: Implementation of PKCS11",
        tested: true,
        restarts: true,
        pad_is_kwp: true,
        wraps_no_eddsa: true,
        notes: &[
            "It tells \"few tries left\" after a wrong PIN, never how many, and does not lock.",
            "The slot of a token changes when it is initialised.",
            "It fills PKCS#8 up with zeros to whole blocks of 8 bytes before it wraps a key, so whoever opens a wrapped key finds up to 7 zeros after it.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "NSS softokn",
        library: "NSS Internal Crypto Services",
        tested: true,
        local_says_nothing: true,
        wraps_nothing: Some(
            "this token has no security officer to trust a wrap key, and wraps keys under any other",
        ),
        initialised_by: Some("its database is made by certutil -N"),
        notes: &[
            "It wants init_args: configdir='sql:/path' certPrefix='' keyPrefix='' secmod='secmod.db' flags=optimizeSpace.",
            "Use its token \"NSS Certificate DB\"; both its tokens have the same serial, so choose by the label.",
            "It has no Ed25519, and says nothing of its PIN counter.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "tpm2-pkcs11",
        library: "TPM2.0 Cryptoki",
        tested: true,
        one_key_a_login: true,
        erased_by: Some("it is removed by tpm2_ptool rmtoken, and a new one is initialised"),
        notes: &[
            "The third wrong PIN locks it, with no flag before it, and a right one in between does not put the counter back; tpm2_dictionarylockout -c unlocks it.",
            "A TPM without a resource manager holds three objects; when it is full the module answers CKR_GENERAL_ERROR.",
            "It has no Ed25519, and its serial is zeros on all: choose by the label.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "ykcs11 (YubiKey)",
        library: "PKCS#11 PIV Library",
        tested: true,
        arguments_bad_is_pin_form: true,
        pin_form: Some("a YubiKey's PIN has 6 to 8 characters"),
        plain_login_for_each_signature: true,
        attests: true,
        initialised_by: Some(
            "a YubiKey is provisioned over PC/SC by this program, or by ykman piv reset",
        ),
        notes: &[
            "The reader's name must contain \"Yubico YubiKey\".",
            "Its flags follow the card's counter: low after one wrong PIN, last try after two, locked after three.",
            "A key that was brought in with a certificate of its own was not shown.",
            "It lists the maker's attestation key among the keys; with an Ed25519 key on the card it answers CKR_FUNCTION_FAILED and shows none.",
            "A session that is open when another card comes goes on listing the keys of the card before; serial and public key are compared again.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "Nitrokey HSM 2, SmartCard-HSM (OpenSC)",
        library: "OpenSC",
        token: "CardContact",
        label_suffix: Some(" (UserPIN)"),
        initialised_by: Some("it is initialised by sc-hsm-tool --initialize"),
        notes: &[
            "Its SO PIN is 16 hexadecimal digits, its PIN 6 to 15 characters; three wrong PINs lock it.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "OpenSC",
        library: "OpenSC",
        tested: true,
        custody_says_nothing: true,
        plain_login_for_each_signature: true,
        initialised_by: Some(
            "a PIV card is provisioned by its maker's program; a YubiKey over PC/SC by this program",
        ),
        notes: &[
            "It shows a key of a PIV card only if a certificate lies beside it, and takes the token's label from one.",
            "The serial is the end of the UUID in the card's CHUID, not the one on the case; a card without a CHUID has zeros.",
            "It says of a key that was brought in what it says of one that was made on the card: only an attestation tells them apart.",
            "It tells of the last try and of a locked PIN.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "YubiHSM 2 (yubihsm_pkcs11)",
        library: "YubiHSM PKCS#11",
        pin_form: Some(
            "a YubiHSM's PIN is 4 hexadecimal digits, the id of an authentication key, and then that key's password",
        ),
        id_bytes: 2,
        longest_eddsa: Some(2000),
        initialised_by: Some("a YubiHSM is reset by hand and set up by yubihsm-setup"),
        notes: &[
            "It needs init_args (connector=yhusb://) or a connector; over USB the module is flagged usb in the room.",
            "Ids of its keys have 2 bytes; it keeps a longer one in an object beside the key, for which the authentication key may lack the right.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "Thales Luna",
        library: "Chrystoki",
        initialised_by: Some("a partition is initialised by lunacm"),
        notes: &[
            "It reaches its appliance over the network: flag the module network, in a rehearsal only.",
        ],
        ..STANDARD
    },
    Quirks {
        name: "AWS CloudHSM",
        library: "CloudHSM",
        pin_form: Some("CloudHSM's PIN is USER:PASSWORD of a crypto user"),
        initialised_by: Some("a cluster is initialised by cloudhsm-cli"),
        notes: &[
            "It reaches its cluster over the network: flag the module network, in a rehearsal only.",
        ],
        ..STANDARD
    },
];

impl Quirks {
    /// The row of a module (its `manufacturer: description`) with a kind of token (its `manufacturer model`) in it.
    pub(super) fn of(library: &str, token: &str) -> &'static Self {
        TABLE
            .iter()
            .find(|row| library.contains(row.library) && token.contains(row.token))
            .unwrap_or(&STANDARD)
    }

    /// The label that the token was given, from what the module says.
    pub(super) fn label<'a>(&self, said: &'a str) -> &'a str {
        self.label_suffix
            .and_then(|suffix| said.strip_suffix(suffix))
            .unwrap_or(said)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Quirks, STANDARD, TABLE};

    #[test]
    fn row_is_found_by_what_the_module_and_its_token_say() {
        for (library, token, name) in [
            (
                "SoftHSM: Implementation of PKCS11 2.6",
                "SoftHSM project SoftHSM v2",
                "SoftHSM 2",
            ),
            (
                "Mozilla Foundation: NSS Internal Crypto Services 3.87",
                "Mozilla Foundation NSS 3",
                "NSS softokn",
            ),
            (
                "tpm2-software.github.io: TPM2.0 Cryptoki 1.9",
                "IBM SW   TPM",
                "tpm2-pkcs11",
            ),
            (
                "Yubico (www.yubico.com): PKCS#11 PIV Library (SP-800-73) 2.20",
                "Yubico (www.yubico.com) YubiKey YK5",
                "ykcs11 (YubiKey)",
            ),
            (
                "Yubico (www.yubico.com): YubiHSM PKCS#11 Library 2.50",
                "Yubico (www.yubico.com) YubiHSM",
                "YubiHSM 2 (yubihsm_pkcs11)",
            ),
            (
                "OpenSC Project: OpenSC smartcard framework 0.23",
                "piv_II PKCS#15 emulated",
                "OpenSC",
            ),
            (
                "OpenSC Project: OpenSC smartcard framework 0.23",
                "www.CardContact.de PKCS#15 emulated",
                "Nitrokey HSM 2, SmartCard-HSM (OpenSC)",
            ),
            ("Kryoptic: Kryoptic PKCS11 Module 1.5", "", "another module"),
        ] {
            assert_eq!(Quirks::of(library, token).name, name, "{library}");
        }
    }

    #[test]
    fn standard_module_has_no_departure_and_no_row_hides_another() {
        assert_eq!(*Quirks::of("x", "y"), STANDARD);
        for (index, row) in TABLE.iter().enumerate() {
            assert!(!row.library.is_empty(), "{} matches everything", row.name);
            let hidden = TABLE[..index].iter().any(|before| {
                row.library.contains(before.library) && row.token.contains(before.token)
            });
            assert!(!hidden, "{} is never found", row.name);
            assert!(row.notes.iter().all(|note| note.ends_with('.')));
        }
    }

    #[test]
    fn suffix_of_a_label_is_taken_off_where_the_row_has_it() {
        let nitrokey = Quirks::of("OpenSC Project: x", "www.CardContact.de PKCS#15 emulated");
        assert_eq!(nitrokey.label("alice (UserPIN)"), "alice");
        assert_eq!(nitrokey.label("alice"), "alice");
        assert_eq!(STANDARD.label("alice (UserPIN)"), "alice (UserPIN)");
    }
}
