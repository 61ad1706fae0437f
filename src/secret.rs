//! Memory for secrets: locked against swapping, left out of core dumps, wiped when dropped, and unprintable.
//!
//! ```
//! let mut typed = *b"1234";
//! let pin = tuf_ceremony::secret::Secret::take(&mut typed)?;
//! assert_eq!(typed, [0; 4]);
//! assert_eq!(pin.expose(<[u8]>::len), 4);
//! # Ok::<(), tuf_ceremony::secret::SecretError>(())
//! ```
//!
//! It cannot be printed, copied or written to a file by accident:
//!
//! ```compile_fail,E0277
//! println!("{:?}", tuf_ceremony::secret::Secret::new());
//! ```
//! ```compile_fail,E0277
//! println!("{}", tuf_ceremony::secret::Secret::new().unwrap());
//! ```
//! ```compile_fail,E0599
//! let copy = tuf_ceremony::secret::Secret::new().ok().unwrap().clone();
//! ```
//! ```compile_fail,E0277
//! serde_json::to_string(&tuf_ceremony::secret::Secret::new().ok().unwrap());
//! ```

use zeroize::Zeroize as _;

use pages::LockedPage;

mod pages;

/// A secret of at most [`Secret::CAPACITY`] bytes. It has no Debug, Display, Clone or Serialize, and only [`Secret::expose`] gives the bytes.
pub struct Secret {
    page: LockedPage,
    length: usize,
}

/// Why memory for a secret could not be had, or not be filled.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The kernel would not lock the page.
    #[error(
        "this machine does not let the program lock memory ({0}); raise the memlock limit (ulimit -l)"
    )]
    Locking(std::io::Error),
    /// More bytes than fit.
    #[error("a secret of more than {0} bytes")]
    TooLong(usize),
    /// The kernel gives no random numbers.
    #[error("this machine gives no random numbers ({0})")]
    Randomness(getrandom::Error),
}

impl Secret {
    /// One page: room for any PIN or private key. The default memlock limit (8 MiB) holds 2,048 of them.
    pub const CAPACITY: usize = pages::SIZE;

    /// Empty locked memory, to be filled with [`Self::push`].
    ///
    /// # Errors
    /// [`SecretError::Locking`]: there is no unlocked fallback.
    pub fn new() -> Result<Self, SecretError> {
        Ok(Self {
            page: LockedPage::new().map_err(SecretError::Locking)?,
            length: 0,
        })
    }

    /// Moves `bytes` into locked memory and wipes them where they were, also when it fails.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn take(bytes: &mut [u8]) -> Result<Self, SecretError> {
        let taken = Self::new().and_then(|mut secret| {
            secret.room(bytes.len())?.copy_from_slice(bytes);
            Ok(secret)
        });
        bytes.zeroize();
        taken
    }

    /// So many bytes from the kernel's generator, straight into locked memory.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn random(length: usize) -> Result<Self, SecretError> {
        let mut secret = Self::new()?;
        getrandom::fill(secret.room(length)?).map_err(SecretError::Randomness)?;
        Ok(secret)
    }

    /// So many bytes that `fill` reads straight into locked memory, from a pipe or a device: no copy of them is anywhere else.
    ///
    /// # Errors
    /// [`SecretError`], and what `fill` said.
    pub fn filled<E: From<SecretError>>(
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut secret = Self::new()?;
        fill(secret.room(length)?)?;
        Ok(secret)
    }

    /// Appends one byte.
    ///
    /// # Errors
    /// [`SecretError::TooLong`].
    pub fn push(&mut self, byte: u8) -> Result<(), SecretError> {
        self.room(1)?.fill(byte);
        Ok(())
    }

    /// Removes and wipes the last byte, if any.
    pub fn pop(&mut self) {
        if let Some(last) = self.length.checked_sub(1) {
            self.page.bytes_mut()[last..].zeroize();
            self.length = last;
        }
    }

    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Lends the bytes to `use_`, the only way to them.
    pub fn expose<T>(&self, use_: impl FnOnce(&[u8]) -> T) -> T {
        use_(&self.page.bytes()[..self.length])
    }

    /// The next `count` bytes, which now belong to the secret.
    fn room(&mut self, count: usize) -> Result<&mut [u8], SecretError> {
        let start = self.length;
        let room = self
            .page
            .bytes_mut()
            .get_mut(start..start.saturating_add(count));
        let room = room.ok_or(SecretError::TooLong(Self::CAPACITY))?;
        self.length = start + count;
        Ok(room)
    }
}

/// Bytes of the stack below the caller that are overwritten.
const STACK: usize = 64 << 10;

/// Overwrites what functions that have returned left on the stack: libraries that compute with a secret keep parts of it in places that they do not wipe.
#[allow(
    clippy::large_stack_arrays,
    reason = "the stack is what is overwritten"
)]
#[inline(never)]
pub fn wipe_stack() {
    let mut below = [0_u8; STACK];
    below.zeroize();
    std::hint::black_box(&mut below);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::{Secret, SecretError};

    #[test]
    fn take_wipes_the_source() {
        let mut source = *b"Zx9-PIN-7f3Q";
        let secret = Secret::take(&mut source).unwrap();
        assert_eq!(source, [0; 12]);
        secret.expose(|bytes| assert_eq!(bytes, b"Zx9-PIN-7f3Q"));
    }

    #[test]
    fn take_wipes_the_source_also_when_it_is_too_long() {
        let mut source = vec![7; Secret::CAPACITY + 1];
        let refused = Secret::take(&mut source).err().unwrap();
        assert_eq!(refused.to_string(), "a secret of more than 4096 bytes");
        assert!(source.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn popped_bytes_are_wiped() {
        let mut secret = Secret::take(&mut b"123".to_vec()).unwrap();
        secret.pop();
        secret.push(b'9').unwrap();
        secret.pop();
        assert_eq!(secret.len(), 2);
        secret.expose(|bytes| assert_eq!(bytes, b"12"));
        assert!(secret.page.bytes()[2..].iter().all(|byte| *byte == 0));
        (0..5).for_each(|_| secret.pop());
        assert!(secret.is_empty());
    }

    #[test]
    fn full_secret_takes_no_more() {
        let mut secret = Secret::random(Secret::CAPACITY).unwrap();
        assert!(matches!(
            secret.push(0),
            Err(SecretError::TooLong(Secret::CAPACITY))
        ));
        assert_eq!(secret.len(), Secret::CAPACITY);
        assert!(Secret::random(usize::MAX).is_err());
    }

    #[test]
    fn filled_secret_holds_what_was_read_or_there_is_none() {
        let secret = Secret::filled(4, |room| {
            room.copy_from_slice(b"1234");
            Ok::<(), SecretError>(())
        });
        secret.unwrap().expose(|bytes| assert_eq!(bytes, b"1234"));
        let failed = Secret::filled(4, |_| Err(SecretError::TooLong(4)));
        assert!(failed.is_err());
        let too_long = Secret::filled(Secret::CAPACITY + 1, |_| Ok::<(), SecretError>(()));
        assert!(matches!(too_long, Err(SecretError::TooLong(_))));
    }

    #[test]
    fn random_secrets_differ() {
        let [one, other] = [(); 2].map(|()| Secret::random(32).unwrap());
        one.expose(|one| other.expose(|other| assert_ne!(one, other)));
    }
}
