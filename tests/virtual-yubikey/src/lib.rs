//! A PIV card that behaves as a `YubiKey` 5 does, for tests.
