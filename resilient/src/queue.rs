//! A line of waiters, first come, first served. Pure but for the wakers that it keeps.

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
    /// It left; its entry goes when it reaches the front.
    Gone,
}

#[derive(Debug)]
pub(crate) struct Queue {
    waiters: VecDeque<Waiter>,
    next: WaiterId,
    waiting: usize,
    weight: u64,
}

impl Queue {
    pub(crate) const fn new() -> Self {
        Self { waiters: VecDeque::new(), next: 0, waiting: 0, weight: 0 }
    }

    /// Those whose turn has not come.
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    /// What those whose turn has not come ask for, together.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn push(&mut self, weight: u32, waker: &Waker) -> WaiterId {
        let id = self.next;
        self.next += 1;
        self.waiters.push_back(Waiter { id, weight, waker: Some(waker.clone()), state: State::Waiting });
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

    /// Keeps whom to call when something changes for this waiter; tells whether its turn has come.
    pub(crate) fn watch(&mut self, id: WaiterId, waker: &Waker) -> bool {
        let Some(waiter) = self.find(id) else {
            return false;
        };
        match &mut waiter.waker {
            Some(kept) => kept.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        waiter.state == State::Granted
    }

    /// Takes a waiter out of the line; tells whether its turn had come.
    pub(crate) fn leave(&mut self, id: WaiterId) -> bool {
        let Some(waiter) = self.find(id) else {
            return false;
        };
        let (state, weight) = (waiter.state, waiter.weight);
        waiter.state = State::Gone;
        waiter.waker = None;
        if state == State::Waiting {
            self.waiting -= 1;
            self.weight -= u64::from(weight);
        }
        while self.waiters.front().is_some_and(|waiter| waiter.state == State::Gone) {
            self.waiters.pop_front();
        }
        state == State::Granted
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
        let ids: Vec<_> = (1..=4).map(|weight| queue.push(weight, Waker::noop())).collect();
        assert_eq!((queue.len(), queue.weight(), queue.front()), (4, 10, Some(ids[0])));
        assert!(!queue.leave(ids[1]));
        assert!(queue.grant().is_some());
        assert_eq!((queue.len(), queue.weight(), queue.front()), (2, 7, Some(ids[2])));
        assert!(queue.watch(ids[0], Waker::noop()));
        assert!(!queue.watch(ids[2], Waker::noop()));
        assert!(queue.leave(ids[0]));
        assert_eq!(queue.waiters.len(), 2);
        assert!(!queue.leave(ids[3]) && !queue.leave(ids[2]));
        assert_eq!((queue.len(), queue.weight(), queue.waiters.len()), (0, 0, 0));
    }
}
