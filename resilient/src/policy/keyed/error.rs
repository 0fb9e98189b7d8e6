//! Why an instance could not be asked or told.

use std::fmt;

/// A key that no instance can be found by, or no room for the instance of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The calls have keys of another type, so that nothing can be found by one of this type: `&7` is an `i32` where the
    /// calls ask for a `u64`.
    #[non_exhaustive]
    WrongType {
        /// The type of the key.
        asked: &'static str,
        /// That of the calls' keys, or the first of them.
        known: &'static str,
    },
    /// All `max_keys` instances are set by hand, and there is no room for another.
    #[non_exhaustive]
    NoRoom {
        /// How many there may be.
        max_keys: usize,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType { asked, known } => {
                write!(f, "the keys are of type `{known}`, and this one is a `{asked}`, which stands for none of them")
            }
            Self::NoRoom { max_keys } => {
                write!(f, "all {max_keys} keys are set by hand: reset one, or allow more with `max_keys`")
            }
        }
    }
}

impl std::error::Error for KeyError {}
