//! Memory for secrets: locked against swapping, left out of core dumps, wiped when dropped, and unprintable.

/// A secret of at most [`Secret::CAPACITY`] bytes. It has no Debug, Display, Clone or Serialize, and only [`Secret::expose`] gives the bytes.
pub struct Secret {
    _todo: (),
}

/// Why memory for a secret could not be had.
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
}

impl Secret {
    /// One page less its bookkeeping: room for any PIN or private key.
    pub const CAPACITY: usize = 4096;

    /// Empty locked memory, to be filled with [`Self::push`].
    ///
    /// # Errors
    /// [`SecretError::Locking`].
    pub fn new() -> Result<Self, SecretError> {
        todo!()
    }
    /// Moves `bytes` into locked memory and wipes them where they were.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn take(bytes: &mut [u8]) -> Result<Self, SecretError> {
        let _ = bytes;
        todo!()
    }
    /// Appends one byte.
    ///
    /// # Errors
    /// [`SecretError::TooLong`].
    pub fn push(&mut self, byte: u8) -> Result<(), SecretError> {
        let _ = byte;
        todo!()
    }
    /// Removes and wipes the last byte, if any.
    pub fn pop(&mut self) {
        todo!()
    }
    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        todo!()
    }
    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Lends the bytes to `use_`, the only way to them.
    pub fn expose<T>(&self, use_: impl FnOnce(&[u8]) -> T) -> T {
        let _ = use_;
        todo!()
    }
}
