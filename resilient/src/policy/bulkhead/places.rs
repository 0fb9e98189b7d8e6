//! Places that are taken and given back, and the line of those who wait for one.
//!
//! One word holds both numbers, so that either who leaves sees who waits, or who gets in line sees the free place.

use crate::sync::{
    Mutex, MutexGuard,
    atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};
use crate::{
    priority::Priority,
    queue::{Order, Queue, WaiterId},
};
use std::{sync::PoisonError, task::Waker};

#[derive(Debug)]
pub(super) struct Places {
    max: u32,
    /// Places taken below, waiters above.
    word: AtomicU64,
    queue: Mutex<Queue>,
}

const WAITER: u64 = 1 << 32;

const fn taken(word: u64) -> u32 {
    word as u32
}

const fn waiters(word: u64) -> u32 {
    (word >> 32) as u32
}

impl Places {
    pub(super) const fn new(max: u32) -> Self {
        Self { max, word: AtomicU64::new(0), queue: Mutex::new(Queue::new(Order::Fifo)) }
    }

    /// Takes a place if one is free and nobody waits for it.
    #[inline(always)]
    pub(super) fn enter(&self) -> bool {
        let mut word = self.word.load(Relaxed);
        loop {
            // Nobody waits, and a place is free.
            if word >= u64::from(self.max) {
                return false;
            }
            match self.word.compare_exchange_weak(word, word + 1, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(found) => word = found,
            }
        }
    }

    #[inline(always)]
    pub(super) fn leave(&self) {
        let before = self.word.fetch_sub(1, AcqRel);
        debug_assert!(taken(before) > 0, "a place was given back twice");
        if waiters(before) > 0 {
            self.hand_over(self.lock());
        }
    }

    /// Gives free places to those who wait, in order.
    #[cold]
    fn hand_over(&self, mut queue: MutexGuard<'_, Queue>) {
        let mut wakers = Vec::new();
        while queue.len() > 0 && self.take_for_waiter() {
            wakers.extend(queue.grant());
        }
        drop(queue);
        // Outside the lock: a waker may run anything.
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Turns a waiter into a place taken.
    fn take_for_waiter(&self) -> bool {
        let take = |word| (taken(word) < self.max).then(|| word + 1 - WAITER);
        self.word.fetch_update(AcqRel, Acquire, take).is_ok()
    }

    pub(super) fn get_in_line(&self, length: usize, waker: &Waker) -> Option<WaiterId> {
        let waker = waker.clone();
        let mut queue = self.lock();
        if queue.len() >= length {
            return None;
        }
        let id = queue.push(Priority::Normal, 1, 0, waker);
        self.word.fetch_add(WAITER, AcqRel);
        // A place may have become free since this call was refused one.
        self.hand_over(queue);
        Some(id)
    }

    /// Whether fewer than `length` wait.
    pub(super) fn has_room(&self, length: usize) -> bool {
        (waiters(self.word.load(Acquire)) as usize) < length
    }

    pub(super) fn turn_has_come(&self, id: WaiterId, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut queue = self.lock();
        let (granted, before) = queue.watch(id, waker);
        let kept = if granted { queue.leave(id).1 } else { None };
        drop(queue);
        drop((before, kept));
        granted
    }

    pub(super) fn leave_line(&self, id: WaiterId) {
        let mut queue = self.lock();
        let (granted, kept) = queue.leave(id);
        if !granted {
            self.word.fetch_sub(WAITER, AcqRel);
        }
        drop(queue);
        drop(kept);
        if granted {
            // Its place was taken for it already.
            self.leave();
        }
    }

    pub(super) fn available(&self) -> u32 {
        let word = self.word.load(Acquire);
        if waiters(word) > 0 { 0 } else { self.max.saturating_sub(taken(word)) }
    }

    /// Places taken, and waiters.
    pub(super) fn read(&self) -> (u32, u32) {
        let word = self.word.load(Acquire);
        (taken(word), waiters(word))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(places: &Places) -> WaiterId {
        places.get_in_line(usize::MAX, Waker::noop()).unwrap()
    }

    #[test]
    fn a_free_place_goes_to_the_first_in_line_and_not_to_a_newcomer() {
        let places = Places::new(1);
        assert!(places.enter() && !places.enter());
        let (first, second) = (waiting(&places), waiting(&places));
        places.leave();
        assert!(!places.enter());
        assert!(places.turn_has_come(first, Waker::noop()) && !places.turn_has_come(second, Waker::noop()));
        places.leave();
        assert!(places.turn_has_come(second, Waker::noop()));
        places.leave();
        assert_eq!(places.read(), (0, 0));
    }

    #[test]
    fn a_waiter_dropped_after_its_turn_came_passes_it_on() {
        let places = Places::new(1);
        assert!(places.enter());
        let (first, second) = (waiting(&places), waiting(&places));
        places.leave();
        places.leave_line(first);
        assert!(places.turn_has_come(second, Waker::noop()));
        assert_eq!(places.read(), (1, 0));
    }

    #[test]
    fn a_waiter_that_gives_up_neither_eats_a_place_nor_starves_the_line() {
        let places = Places::new(1);
        assert!(places.enter());
        let (first, second) = (waiting(&places), waiting(&places));
        places.leave_line(first);
        places.leave();
        assert!(places.turn_has_come(second, Waker::noop()));
        places.leave();
        assert!(places.enter());
    }

    #[test]
    fn never_more_than_max_under_many_threads() {
        use std::sync::atomic::AtomicU32;
        let (places, inside) = (Places::new(3), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        if places.enter() {
                            assert!(inside.fetch_add(1, AcqRel) < 3);
                            inside.fetch_sub(1, AcqRel);
                            places.leave();
                        }
                    }
                });
            }
        });
        assert_eq!(places.read(), (0, 0));
    }
}
