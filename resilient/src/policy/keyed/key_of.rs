//! In which forms a key may be given.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    hash::Hash,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

/// A form of the keys of type `K`, by which their instances are found: `K` itself, or what it owns, borrows or is
/// borrowed as and hashes alike, such as a `String` for `str`, and a slice for a `Vec`. Sealed.
///
/// ```
/// # use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, Keyed};
/// static SHARDS: Keyed<u64, CircuitBreaker> = Keyed::new(CircuitBreakerConfig::new().checked());
/// assert_eq!(SHARDS.state(&7), CircuitState::Closed);
/// ```
/// Another type, which would stand for another key, is a compile error:
/// ```compile_fail,E0277
/// # use resilient::{CircuitBreaker, CircuitBreakerConfig, Keyed};
/// # static SHARDS: Keyed<u64, CircuitBreaker> = Keyed::new(CircuitBreakerConfig::new().checked());
/// SHARDS.state(&7_i32);
/// ```
#[diagnostic::on_unimplemented(
    message = "the keys are of type `{K}`, and a `{Self}` stands for none of them",
    label = "no key of type `{K}`"
)]
pub trait KeyOf<K: ?Sized>: Hash + sealed::Alike<K> {}

mod sealed {
    pub trait Alike<K: ?Sized> {}
}

macro_rules! alike {
    ($([$($bounds:tt)*] $form:ty => $key:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($bounds)*> sealed::Alike<$key> for $form {}
        #[diagnostic::do_not_recommend]
        impl<$($bounds)*> KeyOf<$key> for $form {}
    )*};
}

// What the standard library has hash alike, for `Borrow`.
alike! {
    [K: Hash + ?Sized] K => K;
    [K: Hash + ?Sized] &K => K;
    [K: Hash + ?Sized] K => &K;
    [K: Hash + ?Sized] Box<K> => K;
    [K: Hash + ?Sized] K => Box<K>;
    [K: Hash + ?Sized] Arc<K> => K;
    [K: Hash + ?Sized] K => Arc<K>;
    [K: Hash + ?Sized] Rc<K> => K;
    [] String => str;
    [] str => String;
    [] &str => String;
    [] Box<str> => String;
    [] Arc<str> => String;
    [] Cow<'_, str> => str;
    [] Cow<'_, str> => String;
    [K: Hash] Vec<K> => [K];
    [K: Hash] [K] => Vec<K>;
    [K: Hash] &[K] => Vec<K>;
    [K: Hash, const N: usize] [K; N] => [K];
    [K: Hash, const N: usize] [K; N] => Vec<K>;
    [] PathBuf => Path;
    [] Path => PathBuf;
    [] OsString => OsStr;
    [] OsStr => OsString;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::keyed::fingerprint::Fingerprint;

    fn alike<K: Hash + ?Sized>(key: &K, form: &(impl KeyOf<K> + ?Sized)) {
        assert_eq!(Fingerprint::of(key), Fingerprint::of(form));
    }

    #[test]
    fn forms_of_a_key_hash_alike() {
        let (text, list) = (String::from("a"), vec![1_u32, 2]);
        alike("a", &text);
        alike(&text, "a");
        alike("a", &"a");
        alike(&"a", "a");
        alike(&text, &"a");
        alike("a", &Box::<str>::from("a"));
        alike(&Box::<str>::from("a"), "a");
        alike("a", &Arc::<str>::from("a"));
        alike(&Arc::<str>::from("a"), "a");
        alike("a", &Rc::<str>::from("a"));
        alike("a", &Cow::Borrowed("a"));
        alike(&text, &Cow::Borrowed("a"));
        alike(&list[..], &list);
        alike(&list, &list[..]);
        alike(&list, &[1, 2]);
        alike(&list[..], &[1, 2]);
        alike(Path::new("a"), &PathBuf::from("a"));
        alike(&PathBuf::from("a"), Path::new("a"));
        alike(OsStr::new("a"), &OsString::from("a"));
        alike(&OsString::from("a"), OsStr::new("a"));
        alike(&7_u64, &7);
    }
}
