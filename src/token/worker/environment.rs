//! Which variables a worker is given: those of this table and those that the room names for a module. Everything else that happens to be in
//! the environment of the program (tokens of other services, loader tricks) is no business of a vendor's library.

#![allow(
    clippy::disallowed_methods,
    reason = "a worker's environment is a selection from the program's own"
)]

use std::ffi::OsString;

/// Names, and beginnings of names that end in `*`.
const PASSED: &[&str] = &[
    // What any C library looks at.
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_*",
    // Modules: SoftHSM, OpenSC, the smart card service, Yubico's two, tpm2-pkcs11 and its TPM library, NSS, kryoptic, p11-kit.
    "SOFTHSM2_CONF",
    "OPENSC_*",
    "PCSCLITE_*",
    "YKCS11_*",
    "YUBIHSM_*",
    "TPM2_PKCS11_*",
    "TSS2_*",
    "NSS_*",
    "KRYOPTIC_CONF",
    "P11_KIT_*",
    // Vendors: Thales Luna and ProtectToolkit, Entrust nShield, Utimaco.
    "ChrystokiConfigurationPath",
    "ET_*",
    "PTKC_*",
    "CKNFAST_*",
    "NFAST_*",
    "CS_PKCS11_R2_CFG",
    "CS_PKCS11_R3_CFG",
];

/// The variables of this process that a worker gets; `more` are the names that the room adds.
pub(super) fn passed(more: &[String]) -> Vec<(OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(|name| is_passed(name, more)))
        .collect()
}

fn is_passed(name: &str, more: &[String]) -> bool {
    let listed = PASSED.iter().any(|known| match known.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *known,
    });
    listed || more.iter().any(|added| added == name)
}

#[cfg(test)]
mod tests {
    use super::is_passed;

    #[test]
    fn listed_and_added_variables_are_passed_and_no_others() {
        for name in ["SOFTHSM2_CONF", "LC_ALL", "TPM2_PKCS11_STORE", "HOME"] {
            assert!(is_passed(name, &[]), "{name}");
        }
        for name in ["LD_PRELOAD", "AWS_SECRET_ACCESS_KEY", "HOMER", "ACME_HSM"] {
            assert!(!is_passed(name, &[]), "{name}");
        }
        assert!(is_passed("ACME_HSM", &["ACME_HSM".to_owned()]));
        assert!(!is_passed("ACME_HSM_2", &["ACME_HSM".to_owned()]));
    }
}
