//! What stands for a key.

use siphasher::sip::SipHasher13;
use std::{
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::OnceLock,
};

/// 64 bits of SipHash-1-3 (Aumasson and Bernstein, 2012) with a secret of the process: nobody outside can force a collision.
///
/// Twice as many would take half as long again, which is more than all else that a decision takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotKey(u64);

impl SlotKey {
    #[inline]
    pub(in super::super) fn of(key: &(impl Hash + ?Sized)) -> Self {
        static SECRET: OnceLock<SipHasher13> = OnceLock::new();
        let mut hasher = *SECRET.get_or_init(|| {
            // The standard library's secrets come from the system's source of chance.
            let [first, second] = [0, 1].map(|half: u64| RandomState::new().hash_one(half));
            SipHasher13::new_with_keys(first, second)
        });
        key.hash(&mut hasher);
        Self::new(hasher.finish())
    }

    /// Never 0, which marks a slot that nobody has used.
    #[inline]
    pub(super) const fn new(hash: u64) -> Self {
        Self(if hash == 0 { 1 } else { hash })
    }

    #[inline(always)]
    pub(super) const fn tag(self) -> u64 {
        self.0
    }

    /// One of so many, by the upper bits.
    #[inline(always)]
    pub(super) const fn index(self, count: usize) -> usize {
        ((self.0 as u128 * count as u128) >> 64) as usize
    }

    /// One of so many, by the lower bits: a power of two.
    #[inline(always)]
    pub(super) const fn low(self, count: usize) -> usize {
        self.0 as usize % count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_borrow_alike_are_the_same() {
        assert_eq!(SlotKey::of("host"), SlotKey::of(&String::from("host")));
        assert_eq!(SlotKey::of(&("a", 1)), SlotKey::of(&(String::from("a"), 1)));
        assert_ne!(SlotKey::of("host"), SlotKey::of("hos"));
        assert_ne!(SlotKey::of(&("ab", "c")), SlotKey::of(&("a", "bc")));
    }

    #[test]
    fn every_hash_has_a_tag_and_an_index() {
        for (hash, index) in [(0, 0), (1, 0), (u64::MAX / 2 + 1, 5), (u64::MAX, 9)] {
            let key = SlotKey::new(hash);
            assert_eq!((key.tag(), key.index(10)), (hash.max(1), index));
        }
    }
}
