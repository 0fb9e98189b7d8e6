//! The buckets of many keys, in a table of fixed size.
//!
//! A full bucket is the same as none: the slot of a key whose bucket has filled is free for another, and nothing has to be
//! swept. A key is looked for in one set of sixteen slots, and 64 bits stand for it: with `n` keys in use, some two of them
//! share a bucket with a probability of `n^2 / 2^65`, which is 2^-25 for a million. Nobody outside can force it, for the
//! hash has a secret.
//!
//! Time comes in as an argument.

mod key;
mod set;
mod table;
#[cfg(test)]
mod tests;

use super::bucket::{Bucket, Full, Take};
use crate::{rate::Rate, time::Nanos};
use set::{Set, Slot};
use std::{cmp::Reverse, sync::OnceLock};
use table::Table;

pub use key::SlotKey;

/// Why there were no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// They come after so long, if nobody else takes them.
    For(Nanos),
    /// There never are so many.
    ForEver,
}

#[derive(Debug)]
pub(super) struct Slots {
    bucket: Bucket,
    burst: u32,
    /// Units that a token takes.
    interval: u64,
    /// So many keys find room.
    pub(super) max_keys: u32,
    /// How far the clock that is read first may lag.
    tick: Nanos,
    /// Whether what the lag is worth is a hundredth of a bucket at most, so that a full one may gain it.
    lag_is_small: bool,
    /// Whether a bucket fills within the lag, so that only the precise clock tells anything.
    is_brief: bool,
    table: OnceLock<Table>,
}

impl Slots {
    pub(super) const DEFAULT_MAX: u32 = 10_000;

    pub(super) const fn new(rate: Rate, burst: u32, tick: Nanos) -> Self {
        let bucket = Bucket::new(rate, burst, tick);
        let time_to_fill = bucket.time_for(bucket.holding(0, 0), 0, burst as u64);
        Self {
            bucket,
            burst,
            interval: bucket.holding(0, burst - 1),
            max_keys: Self::DEFAULT_MAX,
            tick,
            lag_is_small: time_to_fill / 100 >= tick,
            is_brief: time_to_fill <= tick,
            table: OnceLock::new(),
        }
    }

    /// Takes tokens of the key's bucket, if they are there.
    ///
    /// `precise` is read where the lag of `coarse` could be why tokens are lacking, where a bucket would gain more by it
    /// than a hundredth, and where the key has no slot.
    #[inline(always)]
    pub(super) fn take(
        &self,
        key: SlotKey,
        tokens: u32,
        coarse: impl Fn() -> Nanos,
        precise: impl Fn() -> Nanos,
    ) -> Result<(), Lack> {
        match self.table.get() {
            Some(table) if !self.is_brief => match self.take_coarsely(table.set(key), key, tokens, coarse()) {
                Some(answer) => answer,
                None => self.take_precisely(key, tokens, precise),
            },
            _ => self.take_precisely(key, tokens, precise),
        }
    }

    /// One try by a clock that lags; `None` where it does not tell.
    #[inline(always)]
    fn take_coarsely(&self, set: &Set, key: SlotKey, tokens: u32, now: Nanos) -> Option<Result<(), Lack>> {
        let (slot, full) = set.find(key)?;
        match self.bucket.take(full, now, tokens) {
            Take::Taken { full: next, dated } => {
                ((!dated || self.lag_is_small) && slot.exchange(full, next)).then_some(Ok(()))
            }
            Take::Lacking { after } => (self.is_certain(full, now, after) && tokens <= self.burst)
                .then(|| Err(Lack::For(self.bucket.nanos(after)))),
        }
    }

    /// Whether neither the lag of the coarse clock nor one that stepped back could be why tokens are lacking.
    #[inline]
    fn is_certain(&self, full: Full, now: Nanos, after: u64) -> bool {
        self.bucket.nanos(after) > self.tick && self.bucket.anchored(full, now, self.tick).is_none()
    }

    #[inline(never)]
    fn take_precisely(&self, key: SlotKey, tokens: u32, precise: impl Fn() -> Nanos) -> Result<(), Lack> {
        if tokens > self.burst {
            return Err(Lack::ForEver);
        }
        let table = self.table();
        match self.take_found(table.set(key), key, tokens, precise(), &precise) {
            Some(answer) => answer,
            None => self.take_anew(table, key, tokens, precise),
        }
    }

    /// `None` where the key has no slot, or its slot is being given away.
    fn take_found(
        &self,
        set: &Set,
        key: SlotKey,
        tokens: u32,
        now: Nanos,
        precise: impl Fn() -> Nanos,
    ) -> Option<Result<(), Lack>> {
        loop {
            let (slot, full) = set.find(key)?;
            match self.bucket.take(full, now, tokens) {
                Take::Taken { full: next, .. } if slot.exchange(full, next) => return Some(Ok(())),
                // Whose slot it is now has to be looked at again.
                Take::Taken { .. } => {}
                Take::Lacking { after } => {
                    self.anchor(slot, full, now, precise);
                    return Some(Err(Lack::For(self.bucket.nanos(after))));
                }
            }
        }
    }

    /// Anchors a bucket anew where the clock has stepped back: it is read after the word, for a call that was held up with
    /// an older reading would take what others did meanwhile for a step. Where this comes too late another call has taken
    /// tokens, and anchored the bucket thereby.
    fn anchor(&self, slot: &Slot, full: Full, now: Nanos, precise: impl Fn() -> Nanos) {
        if self.bucket.anchored(full, now, self.tick).is_some() {
            if let Some(anchored) = self.bucket.anchored(full, precise(), self.tick) {
                slot.exchange(full, anchored);
            }
        }
    }

    /// Takes tokens of a full bucket, in a slot that is free or whose key loses the least.
    #[cold]
    fn take_anew(&self, table: &Table, key: SlotKey, tokens: u32, precise: impl Fn() -> Nanos) -> Result<(), Lack> {
        let set = table.set(key);
        let mut evicted = table.stripe(key).lock();
        // Others may have had the lock for long.
        let now = precise();
        // While the lock is held nobody gives a slot away: what is not found now is not there.
        if let Some(answer) = self.take_found(set, key, tokens, now, &precise) {
            return answer;
        }
        let next = match self.bucket.take(self.bucket.units(now), now, tokens) {
            Take::Taken { full, .. } => full,
            Take::Lacking { .. } => return Err(Lack::ForEver),
        };
        // Nothing was taken: the bucket is full, and needs no slot.
        if tokens == 0 {
            return Ok(());
        }
        loop {
            let (slot, full, lack) = self.fullest(set, key, now, &precise);
            // By a clock with coarse ticks words of different keys are often a number of tokens apart. One unit less keeps
            // a word of the key that is evicted from coming back, on which a call of that key might act late.
            let is_aligned = lack > 0 && next.wrapping_sub(full) % self.interval == 0;
            if slot.replace(full, key, next.wrapping_sub(is_aligned.into())) {
                *evicted += u64::from(lack > 0);
                return Ok(());
            }
        }
    }

    /// The slot to give away, with its word and what its bucket lacks: one that nobody has used, or that of the key which
    /// has not called for longest, or else of the one that lacks the least. Under the set's lock.
    fn fullest<'s>(
        &self,
        set: &'s Set,
        key: SlotKey,
        now: Nanos,
        precise: impl Fn() -> Nanos,
    ) -> (&'s Slot, Full, Nanos) {
        let mut fullest = None;
        let mut least = (Nanos::MAX, Reverse(0));
        for slot in set.slots(key) {
            let (full, is_used) = slot.peek();
            if !is_used {
                return (slot, full, 0);
            }
            self.anchor(slot, full, now, &precise);
            let lack = self.lack(full, now);
            let full_for = if lack > 0 { 0 } else { self.bucket.units(now).wrapping_sub(full) };
            if (lack, Reverse(full_for)) < least {
                least = (lack, Reverse(full_for));
                fullest = Some((slot, full, lack));
            }
        }
        fullest.expect("a set has slots, and a bucket lacks less than all of time")
    }

    /// How long until a bucket is full.
    fn lack(&self, full: Full, now: Nanos) -> Nanos {
        self.bucket.time_for(full, now, self.burst.into())
    }

    /// Whole tokens of the key's bucket.
    pub(super) fn tokens(&self, key: SlotKey, now: Nanos) -> u32 {
        let found = self.table.get().and_then(|table| table.set(key).find(key));
        found.map_or(self.burst, |(_, full)| self.bucket.tokens(full, now))
    }

    /// Fills the key's bucket.
    pub(super) fn fill(&self, key: SlotKey, now: Nanos) {
        let Some(table) = self.table.get() else { return };
        while let Some((slot, full)) = table.set(key).find(key) {
            if slot.exchange(full, self.bucket.units(now)) {
                return;
            }
        }
    }

    /// Fills all buckets.
    pub(super) fn fill_all(&self, now: Nanos) {
        for slot in self.table.get().into_iter().flat_map(Table::slots) {
            loop {
                let (full, is_used) = slot.peek();
                // One that is being given away belongs to a call that comes after this one.
                if !is_used || Slot::is_reserved(full) || slot.exchange(full, self.bucket.units(now)) {
                    break;
                }
            }
        }
    }

    /// Keys whose bucket is not full, and how many lost their slot before it was.
    pub(super) fn counts(&self, now: Nanos) -> (usize, u64) {
        let Some(table) = self.table.get() else { return (0, 0) };
        let in_use = |slot: &&Slot| {
            let (full, is_used) = slot.peek();
            is_used && (Slot::is_reserved(full) || self.lack(full, now) > 0)
        };
        let keys = table.slots().filter(in_use).count();
        (keys, table.evicted())
    }

    fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::new(self.max_keys))
    }
}
