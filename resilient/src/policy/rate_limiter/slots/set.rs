//! The slots in which a key may be found.
//!
//! A slot is a tag, which stands for its key, and the word of the key's bucket. Calls take tokens by exchanging the word,
//! without a lock. Whoever gives a slot to another key holds the lock of the set, and goes in three steps: the word
//! becomes [`RESERVED`], the tag is written, and then the new word. So
//! - a call that read the old word fails to exchange it: the word of a key in use lies after now, that of an expired one
//!   does not, and so an old word does not come back. (Where a key was evicted in use, or reset, or the clock stepped back,
//!   it might after all, to the very unit, much later: then the newcomer pays for that call.)
//! - a call that reads the new word, and then the tag again, sees the new tag, which was written before.
//! - a call that reads the new tag sees [`RESERVED`] or the new word, and no longer the old one.

use super::Full;
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Four lines of the processor's cache.
pub(super) const WAYS: usize = 16;

/// How many slots fit one line.
const LINE: usize = 4;

/// No bucket's word: the slot is being given to another key.
const RESERVED: Full = Full::MAX;

/// What stands for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotKey {
    /// Chooses the set by its upper bits, and the line in which to begin by its lowest.
    pub(super) place: u64,
    /// Never 0, which marks a slot that nobody has used.
    pub(super) tag: u64,
}

impl SlotKey {
    #[inline]
    pub(in super::super) fn new(fingerprint: u128) -> Self {
        Self { place: fingerprint as u64, tag: ((fingerprint >> 64) as u64).max(1) }
    }
}

#[derive(Debug)]
pub(super) struct Slot {
    tag: AtomicU64,
    full: AtomicU64,
}

impl Slot {
    /// The word, if it is that of this tag.
    #[inline(always)]
    fn read(&self, tag: u64) -> Option<Full> {
        let full = self.full.load(Acquire);
        (full != RESERVED && self.tag.load(Relaxed) == tag).then_some(full)
    }

    /// The word, and whether anybody ever had the slot.
    pub(super) fn peek(&self) -> (Full, bool) {
        (self.full.load(Acquire), self.tag.load(Relaxed) != 0)
    }

    /// Whether a slot with this word is being given away: never so for who holds the set's lock.
    pub(super) const fn is_reserved(full: Full) -> bool {
        full == RESERVED
    }

    /// Whether the word was still `full`, and now is `next`.
    #[inline(always)]
    pub(super) fn exchange(&self, full: Full, next: Full) -> bool {
        self.full.compare_exchange(full, word(next), AcqRel, Relaxed).is_ok()
    }

    /// Whether the word was still `full`, so that the slot is the key's now. Under the set's lock.
    pub(super) fn replace(&self, full: Full, key: SlotKey, next: Full) -> bool {
        let is_ours = self.full.compare_exchange(full, RESERVED, AcqRel, Relaxed).is_ok();
        if is_ours {
            self.tag.store(key.tag, Release);
            self.full.store(word(next), Release);
        }
        is_ours
    }
}

/// The one word that has another meaning is a unit later.
#[inline(always)]
const fn word(full: Full) -> Full {
    if full == RESERVED { 0 } else { full }
}

/// Two lines are fetched together by many processors.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Set([Slot; WAYS]);

impl Set {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Slot { tag: AtomicU64::new(0), full: AtomicU64::new(0) }))
    }

    /// All slots, from the line on in which the key is most likely.
    #[inline(always)]
    pub(super) fn slots(&self, key: SlotKey) -> impl Iterator<Item = &Slot> {
        let first = key.place as usize % (WAYS / LINE) * LINE;
        (0..WAYS).map(move |way| &self.0[(first + way) % WAYS])
    }

    /// The key's slot and its word; `None` also while the slot is being given away.
    #[inline(always)]
    pub(super) fn find(&self, key: SlotKey) -> Option<(&Slot, Full)> {
        let slot = self.slots(key).find(|slot| slot.tag.load(Acquire) == key.tag)?;
        slot.read(key.tag).map(|full| (slot, full))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter()
    }
}
