//! RSA keys that are refused although they are well formed.

/// Odd primes below 168: those of the ROCA fingerprint (Nemec et al., CCS 2017, section 4.1), and a
/// cheap test for a modulus that is no product of two large primes.
const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Why an RSA key is too weak; both numbers big-endian without leading zeros.
pub(super) fn of_rsa(modulus: &[u8], exponent: &[u8]) -> Option<String> {
    let bits = bit_length(modulus);
    let is_even = |number: &[u8]| number.last().is_none_or(|byte| byte % 2 == 0);
    let exponent_too_small = bit_length(exponent) < 17;
    if bits < 2048 {
        Some(format!(
            "its RSA modulus has {bits} bits; 2048 or more are needed"
        ))
    } else if exponent_too_small || is_even(exponent) {
        Some("its RSA exponent must be odd and at least 65537".to_owned())
    } else if is_even(modulus) {
        Some("its RSA modulus is even".to_owned())
    } else if let Some(prime) = SMALL_PRIMES.iter().find(|&&p| remainder(modulus, p) == 0) {
        Some(format!("its RSA modulus is divisible by {prime}"))
    } else if is_roca(modulus) {
        Some("its RSA modulus has the ROCA fingerprint (CVE-2017-15361)".to_owned())
    } else {
        None
    }
}

fn bit_length(number: &[u8]) -> usize {
    match number.iter().position(|&byte| byte != 0) {
        Some(zeros) => (number.len() - zeros) * 8 - number[zeros].leading_zeros() as usize,
        None => 0,
    }
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number
        .iter()
        .fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime)
}

/// Infineon's primes are powers of 65537 modulo every small prime, and so is their product.
fn is_roca(modulus: &[u8]) -> bool {
    SMALL_PRIMES.iter().all(|&prime| {
        let rest = remainder(modulus, prime);
        let mut power = 1;
        loop {
            if power == rest {
                return true;
            }
            power = power * (65537 % prime) % prime;
            if power == 1 {
                return false;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 2048-bit number that is 1 modulo every small prime but not a product of anything we know.
    fn one_modulo_all_small_primes() -> Vec<u8> {
        let mut number = vec![0; 256];
        number[255] = 1;
        let multiply = |number: &mut Vec<u8>, factor: u32| {
            let mut carry = 0;
            for byte in number.iter_mut().rev() {
                let product = u32::from(*byte) * factor + carry;
                *byte = product.to_be_bytes()[3];
                carry = product >> 8;
            }
        };
        multiply(&mut number, 2);
        for prime in SMALL_PRIMES {
            multiply(&mut number, prime);
        }
        while number[0] < 0x80 {
            multiply(&mut number, 2);
        }
        number[255] |= 1;
        number
    }

    #[test]
    fn roca_fingerprint_is_recognised() {
        assert_eq!(
            of_rsa(&one_modulo_all_small_primes(), &[1, 0, 1]).as_deref(),
            Some("its RSA modulus has the ROCA fingerprint (CVE-2017-15361)")
        );
    }

    #[test]
    fn weak_numbers_are_named() {
        let mut modulus = vec![0xff; 256];
        modulus[255] = 0x07;
        let cases: [(&str, &[u8], &[u8], &str); 6] = [
            (
                "short",
                &[0xff; 255],
                &[1, 0, 1],
                "its RSA modulus has 2040 bits; 2048 or more are needed",
            ),
            (
                "zero",
                &[],
                &[1, 0, 1],
                "its RSA modulus has 0 bits; 2048 or more are needed",
            ),
            (
                "e = 3",
                &modulus,
                &[3],
                "its RSA exponent must be odd and at least 65537",
            ),
            (
                "e even",
                &modulus,
                &[1, 0, 2],
                "its RSA exponent must be odd and at least 65537",
            ),
            (
                "n even",
                &[0xfe; 256],
                &[1, 0, 1],
                "its RSA modulus is even",
            ),
            (
                "n = 3 m",
                &[0xff; 256],
                &[1, 0, 1],
                "its RSA modulus is divisible by 3",
            ),
        ];
        for (name, modulus, exponent, text) in cases {
            assert_eq!(of_rsa(modulus, exponent).as_deref(), Some(text), "{name}");
        }
    }
}
