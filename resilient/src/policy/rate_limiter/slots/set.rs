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

use super::{Full, SlotKey};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Slots of a set.
pub(super) const WAYS: usize = LINES * LINE;

/// How many of them share a line of the processor's cache.
const LINE: usize = 4;

const LINES: usize = 4;

/// No bucket's word: the slot is being given to another key.
const RESERVED: Full = Full::MAX;

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
            self.tag.store(key.tag(), Release);
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
pub(super) struct Set([[Slot; LINE]; LINES]);

impl Set {
    pub(super) fn new() -> Self {
        let slot = |_| Slot { tag: AtomicU64::new(0), full: AtomicU64::new(0) };
        Self(std::array::from_fn(|_| std::array::from_fn(slot)))
    }

    /// From the one on in which the key is most likely.
    #[inline(always)]
    fn lines(&self, key: SlotKey) -> impl Iterator<Item = &[Slot; LINE]> {
        let first = key.low(LINES);
        (0..LINES).map(move |line| &self.0[(first + line) % LINES])
    }

    /// All slots, in the order in which the key should have one.
    pub(super) fn slots(&self, key: SlotKey) -> impl Iterator<Item = &Slot> {
        self.lines(key).flatten()
    }

    /// The key's slot and its word; `None` also while the slot is being given away.
    #[inline(always)]
    pub(super) fn find(&self, key: SlotKey) -> Option<(&Slot, Full)> {
        let tag = key.tag();
        for line in self.lines(key) {
            // A line at a time: which of its slots it is no branch could predict.
            let [a, b, c, d] = line;
            let is_key = |slot: &Slot| usize::from(slot.tag.load(Acquire) == tag);
            let found = is_key(a) | is_key(b) << 1 | is_key(c) << 2 | is_key(d) << 3;
            if found != 0 {
                let slot = &line[found.trailing_zeros() as usize % LINE];
                return slot.read(tag).map(|full| (slot, full));
            }
        }
        None
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().flatten()
    }
}
