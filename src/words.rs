//! Digests as PGP words (Juola and Zimmermann 1995), to be read aloud: even bytes have words of two syllables, odd ones of three, so that a
//! swapped, doubled or dropped word is heard.

/// One word a byte, in order.
pub fn of(bytes: &[u8]) -> Vec<&'static str> {
    let _ = bytes;
    todo!()
}
