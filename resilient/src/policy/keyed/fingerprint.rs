//! What stands for a key.

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::{
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::OnceLock,
};

/// 128 bits of SipHash-1-3 (Aumasson and Bernstein, 2012) with a secret of the process: a collision is no practical
/// event, and nobody outside can force one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(pub(super) u128);

impl Fingerprint {
    #[inline]
    pub(super) fn of(key: &(impl Hash + ?Sized)) -> Self {
        static SECRET: OnceLock<SipHasher13> = OnceLock::new();
        let mut hasher = *SECRET.get_or_init(|| {
            // The standard library's secrets come from the system's source of chance.
            let [first, second] = [0, 1].map(|half: u64| RandomState::new().hash_one(half));
            SipHasher13::new_with_keys(first, second)
        });
        key.hash(&mut hasher);
        Self(hasher.finish128().as_u128())
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0 as u64);
    }
}

/// A fingerprint is a hash already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_borrow_alike_are_the_same() {
        assert_eq!(Fingerprint::of("host"), Fingerprint::of(&String::from("host")));
        assert_eq!(Fingerprint::of(&("a", 1)), Fingerprint::of(&(String::from("a"), 1)));
        assert_ne!(Fingerprint::of("host"), Fingerprint::of("hos"));
        assert_ne!(Fingerprint::of(&("ab", "c")), Fingerprint::of(&("a", "bc")));
    }
}
