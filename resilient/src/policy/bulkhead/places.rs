//! Places that are taken and given back, and the line of those who wait for some.

use super::word::{ADMITTED, COUNTED, STOPS, WAITER, Word};
use crate::{
    policy::mode::Mode,
    priority::Priority,
    queue::{Order, Queue, WaiterId},
    sync::{
        Mutex, MutexGuard,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::Nanos,
};
use std::{sync::PoisonError, task::Waker};

#[derive(Debug)]
pub(super) struct Places {
    word: AtomicU64,
    limit: AtomicU32,
    /// How often the count in the word has run over.
    carried: AtomicU32,
    queue: Mutex<Queue>,
}

/// What becomes of one who would wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    InLine(WaiterId),
    /// Its places are free by now, and taken for it.
    Inside,
    /// Too many wait, and none of them has to make room.
    Full,
    /// Nobody waits in this mode.
    Free,
}

/// What became of one who waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The places are taken for it.
    Come,
    NotYet,
    /// It had to make room for another.
    Lost,
    /// Nobody waits in this mode: it has left the line.
    Free,
}

impl Places {
    pub(super) const fn new(limit: u32, order: Order, mode: Mode) -> Self {
        Self {
            word: AtomicU64::new(Word::new(mode).0),
            limit: AtomicU32::new(limit),
            carried: AtomicU32::new(0),
            queue: Mutex::new(Queue::new(order)),
        }
    }

    /// Takes places if they are free and nobody waits.
    #[inline(always)]
    pub(super) fn enter(&self, places: u32) -> bool {
        self.enter_past(places, STOPS)
    }

    /// Takes places if they are free, whoever may wait: there are only those who came before the mode was switched.
    pub(super) fn enter_in_shadow(&self, places: u32) -> bool {
        self.enter_past(places, 0)
    }

    #[inline(always)]
    fn enter_past(&self, places: u32, stops: u64) -> bool {
        let mut word = self.word();
        loop {
            // After the word: where the limit has changed since, so has the word's epoch.
            let limit = self.limit.load(Relaxed);
            let Some(next) = word.enter(places, limit, stops) else { return false };
            match self.word.compare_exchange_weak(word.0, next.0, AcqRel, Acquire) {
                Ok(_) => {
                    if next.admitted() == 0 {
                        self.carry();
                    }
                    return true;
                }
                Err(found) => word = Word(found),
            }
        }
    }

    #[cold]
    fn carry(&self) {
        self.carried.fetch_add(1, Relaxed);
    }

    /// Gives places back; tells how many were taken before.
    #[inline(always)]
    pub(super) fn leave(&self, places: u32) -> u32 {
        let before = Word(self.word.fetch_sub(places.into(), AcqRel));
        debug_assert!(before.taken() >= places, "a place was given back twice");
        if before.waiters() > 0 {
            self.serve();
        }
        before.taken()
    }

    /// Gives free places to those who wait.
    #[cold]
    pub(super) fn serve(&self) {
        self.hand_over(self.lock());
    }

    fn hand_over(&self, mut queue: MutexGuard<'_, Queue>) {
        let wakers = self.grant(&mut queue);
        drop(queue);
        // Outside the lock: a waker may run anything.
        wakers.for_each(Waker::wake);
    }

    /// Gives free places to those who wait, in order: who waits for more than are free is not overtaken. Tells whom to call.
    fn grant(&self, queue: &mut Queue) -> impl Iterator<Item = Waker> + use<> {
        let mut first = None;
        let mut others = Vec::new();
        while queue.front_weight().is_some_and(|places| self.take_for_waiter(places)) {
            match queue.grant() {
                Some(waker) if first.is_none() => first = Some(waker),
                waker => others.extend(waker),
            }
        }
        first.into_iter().chain(others)
    }

    /// Turns a waiter into places taken.
    fn take_for_waiter(&self, places: u32) -> bool {
        let mut word = self.word();
        while word.fits(places, self.limit.load(Relaxed)) {
            let next = Word(word.0.wrapping_add(ADMITTED + u64::from(places)) - WAITER);
            match self.word.compare_exchange_weak(word.0, next.0, AcqRel, Acquire) {
                Ok(_) => {
                    if next.admitted() == 0 {
                        self.carry();
                    }
                    return true;
                }
                Err(found) => word = Word(found),
            }
        }
        false
    }

    /// Gets in line. Where `length` wait already, one who would go last makes room: in a line of last come, first served
    /// the oldest, and by priority one whose turn would come after the newcomer's.
    pub(super) fn get_in_line(&self, places: u32, class: Priority, now: Nanos, length: usize, waker: &Waker) -> Joined {
        let waker = waker.clone();
        let mut queue = self.lock();
        if self.mode() != Mode::On {
            return Joined::Free;
        }
        let mut displaced = None;
        if queue.len() >= length {
            let Some(last) = queue.last_behind(class, now) else { return Joined::Full };
            displaced = queue.leave(last).1;
            self.word.fetch_sub(WAITER, AcqRel);
        }
        let id = queue.push(class, places, now, waker);
        self.word.fetch_add(WAITER, AcqRel);
        // A place may have become free since this call was refused one.
        let wakers = self.grant(&mut queue);
        let is_inside = queue.leave_granted(id);
        drop(queue);
        wakers.chain(displaced).for_each(Waker::wake);
        if is_inside { Joined::Inside } else { Joined::InLine(id) }
    }

    /// Whether this waiter's turn has come; else who is called when it has.
    pub(super) fn turn(&self, id: WaiterId, waker: &Waker) -> Turn {
        // Who is called has its turn as a rule, and needs no waker any more.
        if self.lock().leave_granted(id) {
            return Turn::Come;
        }
        let waker = waker.clone();
        let mut queue = self.lock();
        if queue.leave_granted(id) {
            drop(queue);
            return Turn::Come;
        }
        if !queue.contains(id) {
            drop(queue);
            return Turn::Lost;
        }
        let (turn, before) = if self.mode() == Mode::On {
            (Turn::NotYet, queue.watch(id, waker).1)
        } else {
            self.word.fetch_sub(WAITER, AcqRel);
            (Turn::Free, queue.leave(id).1)
        };
        drop(queue);
        drop(before);
        turn
    }

    /// Leaves the line, or gives back the places that were taken for it.
    pub(super) fn leave_line(&self, id: WaiterId, places: u32) {
        let mut queue = self.lock();
        let (was_waiting, was_front) = (queue.contains(id), queue.front() == Some(id));
        let (granted, kept) = queue.leave(id);
        if was_waiting {
            self.word.fetch_sub(WAITER, AcqRel);
        }
        if was_front {
            // The next may ask for less.
            self.hand_over(queue);
        } else {
            drop(queue);
        }
        drop(kept);
        if granted {
            self.leave(places);
        }
    }

    /// Lets so many places be taken from now on; tells how many, if that is a change. `limit` is asked under the lock, so that
    /// the last to set one has seen what others have set.
    pub(super) fn set_limit(&self, limit: impl FnOnce() -> Option<u32>) -> Option<u32> {
        let queue = self.lock();
        let limit = limit()?;
        if self.limit.swap(limit, Release) == limit {
            return None;
        }
        self.change(Word::next_epoch);
        self.hand_over(queue);
        Some(limit)
    }

    /// Who waits is let through where nobody waits in that mode.
    pub(super) fn set_mode(&self, mode: Mode) {
        let mut queue = self.lock();
        self.change(|word| word.with_mode(mode));
        let wakers = if mode == Mode::On { Vec::new() } else { queue.all_wakers() };
        drop(queue);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn change(&self, change: impl Fn(Word) -> Word) {
        let mut word = self.word();
        while let Err(found) = self.word.compare_exchange_weak(word.0, change(word).0, AcqRel, Acquire) {
            word = Word(found);
        }
    }

    #[inline(always)]
    pub(super) fn word(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    pub(super) fn mode(&self) -> Mode {
        self.word().mode()
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    /// How many were admitted. (Of a million, one moment may miss the whole million.)
    pub(super) fn admitted(&self) -> u64 {
        let before = self.carried.load(Relaxed);
        let admitted = self.word().admitted();
        let carried = self.carried.load(Relaxed);
        if before == carried { u64::from(carried) * COUNTED + admitted } else { u64::from(carried) * COUNTED }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
