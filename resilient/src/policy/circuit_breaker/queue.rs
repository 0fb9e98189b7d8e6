//! The calls of one thread in flight beyond its places, the oldest first. Pure.
//!
//! Each has a slot, whose index it keeps, and stands in a list by when it began. Calls begin in order, or almost, so each
//! of these costs the same however many there are.

use crate::time::Nanos;

/// No slot.
const NONE: u32 = u32::MAX;

/// Before one that stands in the list no longer.
const DETACHED: u32 = u32::MAX - 1;

/// So many slots are kept, in use or not.
const KEPT: usize = if cfg!(shuttle) { 1 } else { 64 };

/// Of more than that, none are kept without any call.
const MANY: usize = if cfg!(shuttle) { 2 } else { 1024 };

#[derive(Debug)]
struct Slot {
    /// What is known of the call; 0 for none.
    word: u64,
    generation: u32,
    /// The next older one.
    before: u32,
    /// The next younger one; of those without a call, another one.
    after: u32,
}

/// One that stood in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) index: u32,
    pub(super) at: Nanos,
    pub(super) generation: u32,
}

#[derive(Debug)]
pub(super) struct Queue {
    slots: Vec<Slot>,
    /// The first without a call.
    free: u32,
    in_use: u32,
    /// How many calls have ended since slots were last given back, ...
    ended: usize,
    /// ... and the most that were in flight at once.
    most: u32,
    oldest: u32,
    newest: u32,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: NONE, in_use: 0, ended: 0, most: 0, oldest: NONE, newest: NONE }
    }

    /// A call begins. `now` is above 0.
    pub(super) fn begin(&mut self, generation: u32, now: Nanos) -> u32 {
        self.step_back_to(now);
        let slot = Slot { word: now, generation, before: self.newest, after: NONE };
        let index = match self.free {
            NONE => {
                self.slots.push(slot);
                #[expect(clippy::cast_possible_truncation, reason = "fewer calls are in flight than there are numbers")]
                let index = (self.slots.len() - 1) as u32;
                index
            }
            free => {
                self.free = self.slots[free as usize].after;
                self.slots[free as usize] = slot;
                free
            }
        };
        match self.newest {
            NONE => self.oldest = index,
            newest => self.slots[newest as usize].after = index,
        }
        self.newest = index;
        self.in_use += 1;
        self.most = self.most.max(self.in_use);
        index
    }

    /// Nothing began later than now. Each call is told so once, when the clock has stepped back.
    fn step_back_to(&mut self, now: Nanos) {
        let mut index = self.newest;
        while let Some(slot) = self.slots.get_mut(index as usize).filter(|slot| slot.word > now) {
            slot.word = now;
            index = slot.before;
        }
    }

    /// What is known of a call; 0 where there is none.
    pub(super) fn word(&self, index: u32) -> u64 {
        self.slots.get(index as usize).map_or(0, |slot| slot.word)
    }

    /// From now on this is known of a call that no longer stands in the list.
    pub(super) fn set(&mut self, index: u32, word: u64) {
        if let Some(slot) = self.slots.get_mut(index as usize) {
            debug_assert_eq!(slot.before, DETACHED);
            slot.word = word;
        }
    }

    /// A call ends; what was known of it.
    pub(super) fn end(&mut self, index: u32) -> u64 {
        let word = self.word(index);
        if word == 0 {
            return 0;
        }
        self.detach(index);
        let slot = &mut self.slots[index as usize];
        (slot.word, slot.after) = (0, self.free);
        self.free = index;
        self.in_use -= 1;
        self.ended += 1;
        if self.in_use == 0 && self.slots.len() > MANY {
            *self = Self::new();
        } else if self.ended >= self.slots.len().max(KEPT) {
            self.trim();
        }
        word
    }

    /// Takes the oldest out of the list, if it began before `limit`.
    pub(super) fn take(&mut self, limit: Nanos) -> Option<Begun> {
        let index = self.oldest;
        let slot = self.slots.get(index as usize)?;
        let begun = Begun { index, at: slot.word, generation: slot.generation };
        (begun.at < limit).then(|| self.detach(index))?;
        Some(begun)
    }

    /// When the oldest in the list began.
    pub(super) fn oldest(&self) -> Option<Nanos> {
        self.slots.get(self.oldest as usize).map(|slot| slot.word)
    }

    /// How many are in flight.
    pub(super) fn len(&self) -> u64 {
        self.in_use.into()
    }

    fn detach(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        let (before, after) = (slot.before, slot.after);
        if before == DETACHED {
            return;
        }
        slot.before = DETACHED;
        match before {
            NONE => self.oldest = after,
            before => self.slots[before as usize].after = after,
        }
        match after {
            NONE => self.newest = before,
            after => self.slots[after as usize].before = before,
        }
    }

    /// Gives back the slots at the end, and has those in front used first. As many calls have ended as it looks at.
    #[cold]
    fn trim(&mut self) {
        self.ended = 0;
        let used = self.slots.iter().rposition(|slot| slot.word != 0).map_or(0, |last| last + 1);
        self.slots.truncate(used);
        self.slots.shrink_to((2 * self.most as usize).max(KEPT));
        self.most = self.in_use;
        self.free = NONE;
        for index in (0..used).rev() {
            if self.slots[index].word == 0 {
                self.slots[index].after = self.free;
                #[expect(clippy::cast_possible_truncation, reason = "it is one of them")]
                let index = index as u32;
                self.free = index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &mut Queue, limit: Nanos) -> Vec<Nanos> {
        std::iter::from_fn(|| queue.take(limit)).map(|begun| begun.at).collect()
    }

    #[test]
    fn only_those_that_are_due_are_looked_at_and_each_of_them_once() {
        let mut queue = Queue::new();
        let calls: Vec<_> = (1..=10).map(|now| queue.begin(7, now)).collect();
        assert_eq!((queue.end(calls[1]), queue.end(calls[9])), (2, 10));
        assert_eq!(taken(&mut queue, 5), [1, 3, 4]);
        assert_eq!((taken(&mut queue, 5), queue.oldest()), (vec![], Some(5)));
        // Out of the list they are still in flight.
        queue.set(calls[2], 77);
        assert_eq!((queue.end(calls[2]), queue.end(calls[2]), queue.len()), (77, 0, 7));
        assert_eq!(queue.begin(8, 11), calls[2]);
        assert_eq!(taken(&mut queue, 12), [5, 6, 7, 8, 9, 11]);
        assert_eq!((queue.oldest(), queue.len()), (None, 8));
    }

    #[test]
    fn a_clock_that_steps_back_makes_no_call_wait_for_one_that_seems_to_have_begun_later() {
        let mut queue = Queue::new();
        for now in [1, 100, 101, 50, 60] {
            queue.begin(0, now);
        }
        assert_eq!(taken(&mut queue, 60), [1, 50, 50, 50]);
    }

    #[test]
    fn memory_shrinks_once_calls_have_ended_though_some_of_them_hang() {
        let mut queue = Queue::new();
        let mut calls: Vec<_> = (1..=100_000).map(|now| queue.begin(0, now)).collect();
        let hung = [calls.remove(10), calls.remove(100)];
        for call in calls {
            queue.end(call);
        }
        for now in 0..300_000 {
            let call = queue.begin(0, 200_000 + now);
            queue.end(call);
        }
        assert_eq!(queue.len(), 2);
        assert!(queue.slots.len() <= 103 && queue.slots.capacity() <= 206, "{}", queue.slots.capacity());
        assert_eq!(hung.map(|call| queue.end(call)), [11, 102]);
        let calls: Vec<_> = (1..=2000).map(|now| queue.begin(0, now)).collect();
        assert_eq!(calls.iter().map(|call| queue.end(*call)).sum::<u64>(), 2_001_000);
        assert_eq!((queue.len(), queue.slots.capacity()), (0, 0));
    }
}
