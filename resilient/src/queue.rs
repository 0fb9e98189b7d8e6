//! A line of waiters, first come, first served. Pure but for the wakers that it keeps.
//!
//! A waker may run anything when it is cloned, called or dropped, also what locks this very line: it comes in by value
//! and goes out the same way, for the caller to deal with outside the lock.

use std::{collections::VecDeque, task::Waker};

/// Names a waiter; later ones are greater.
pub(crate) type WaiterId = u64;

#[derive(Debug)]
struct Waiter {
    id: WaiterId,
    weight: u32,
    waker: Option<Waker>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// Its turn has come, but it does not know yet.
    Granted,
    /// It left; its entry goes when it reaches the front, or when most are of this kind.
    Gone,
}

#[derive(Debug)]
pub(crate) struct Queue {
    waiters: VecDeque<Waiter>,
    next: WaiterId,
    waiting: usize,
    gone: usize,
    weight: u64,
}

impl Queue {
    pub(crate) const fn new() -> Self {
        Self { waiters: VecDeque::new(), next: 0, waiting: 0, gone: 0, weight: 0 }
    }

    /// Those whose turn has not come.
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    /// What those whose turn has not come ask for, together.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn push(&mut self, weight: u32, waker: Waker) -> WaiterId {
        let id = self.next;
        self.next += 1;
        self.waiters.push_back(Waiter { id, weight, waker: Some(waker), state: State::Waiting });
        self.waiting += 1;
        self.weight += u64::from(weight);
        id
    }

    pub(crate) fn front(&self) -> Option<WaiterId> {
        self.waiters.iter().find(|waiter| waiter.state == State::Waiting).map(|waiter| waiter.id)
    }

    /// Whom to call when the front may have changed.
    pub(crate) fn front_waker(&mut self) -> Option<Waker> {
        let front = self.waiters.iter_mut().find(|waiter| waiter.state == State::Waiting)?;
        front.waker.take()
    }

    /// Gives the front its turn.
    pub(crate) fn grant(&mut self) -> Option<Waker> {
        let front = self.waiters.iter_mut().find(|waiter| waiter.state == State::Waiting)?;
        front.state = State::Granted;
        self.waiting -= 1;
        self.weight -= u64::from(front.weight);
        front.waker.take()
    }

    /// Keeps whom to call when something changes for this waiter; tells whether its turn has come, and gives back
    /// whom it would have called before.
    pub(crate) fn watch(&mut self, id: WaiterId, waker: Waker) -> (bool, Option<Waker>) {
        match self.find(id) {
            Some(waiter) => (waiter.state == State::Granted, waiter.waker.replace(waker)),
            None => (false, Some(waker)),
        }
    }

    /// Takes a waiter out of the line; tells whether its turn had come, and gives back whom it would have called.
    pub(crate) fn leave(&mut self, id: WaiterId) -> (bool, Option<Waker>) {
        let Some(waiter) = self.find(id) else { return (false, None) };
        let (state, weight, waker) = (waiter.state, waiter.weight, waiter.waker.take());
        waiter.state = State::Gone;
        self.gone += 1;
        if state == State::Waiting {
            self.waiting -= 1;
            self.weight -= u64::from(weight);
        }
        self.tidy();
        (state == State::Granted, waker)
    }

    /// Entries of those who left never outnumber the others for long.
    fn tidy(&mut self) {
        while self.waiters.front().is_some_and(|waiter| waiter.state == State::Gone) {
            self.waiters.pop_front();
            self.gone -= 1;
        }
        if self.gone > 16 && self.gone > self.waiters.len() / 2 {
            self.waiters.retain(|waiter| waiter.state != State::Gone);
            self.gone = 0;
        }
    }

    fn find(&mut self, id: WaiterId) -> Option<&mut Waiter> {
        let index = self.waiters.binary_search_by_key(&id, |waiter| waiter.id).ok()?;
        self.waiters.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_order_and_those_who_left_are_passed_over() {
        let mut queue = Queue::new();
        let ids: Vec<_> = (1..=4).map(|weight| queue.push(weight, Waker::noop().clone())).collect();
        assert_eq!((queue.len(), queue.weight(), queue.front()), (4, 10, Some(ids[0])));
        assert!(!queue.leave(ids[1]).0);
        assert!(queue.grant().is_some());
        assert_eq!((queue.len(), queue.weight(), queue.front()), (2, 7, Some(ids[2])));
        assert!(queue.watch(ids[0], Waker::noop().clone()).0);
        assert!(!queue.watch(ids[2], Waker::noop().clone()).0);
        assert!(queue.leave(ids[0]).0);
        assert_eq!(queue.waiters.len(), 2);
        assert!(!queue.leave(ids[3]).0 && !queue.leave(ids[2]).0);
        assert_eq!((queue.len(), queue.weight(), queue.waiters.len()), (0, 0, 0));
    }

    #[test]
    fn waiters_that_leave_behind_one_that_stays_do_not_pile_up() {
        let mut queue = Queue::new();
        let stays = queue.push(1, Waker::noop().clone());
        for _ in 0..10_000 {
            let id = queue.push(1, Waker::noop().clone());
            queue.leave(id);
            assert!(queue.waiters.len() < 64);
        }
        assert_eq!((queue.len(), queue.front()), (1, Some(stays)));
    }
}
