//! Calls that wait for their tokens, first come, first served. Only the front takes tokens; who leaves calls the next.

use super::{RateLimiter, Taken};
use crate::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};
use crate::{
    error::Error,
    event::Caller,
    priority::Priority,
    queue::{Order, Queue, WaiterId},
    time::{NEVER, Nanos, nanos},
};
use std::{
    ops::{Deref, DerefMut},
    sync::PoisonError,
    task::{Poll, Waker},
};

#[derive(Debug)]
pub(super) struct Line {
    queue: Mutex<Queue>,
    /// Whether somebody waits: the fast path asks only this.
    occupied: AtomicBool,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { queue: Mutex::new(Queue::new(Order::Fifo)), occupied: AtomicBool::new(false) }
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        !self.occupied.load(Ordering::Acquire)
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        Locked { queue: self.queue.lock().unwrap_or_else(PoisonError::into_inner), occupied: &self.occupied }
    }
}

pub(super) struct Locked<'a> {
    queue: MutexGuard<'a, Queue>,
    occupied: &'a AtomicBool,
}

impl Deref for Locked<'_> {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        &self.queue
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.occupied.store(self.queue.len() > 0, Ordering::Release);
    }
}

/// A call in line.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    id: WaiterId,
    tokens: u32,
    /// When it is refused.
    limit: Nanos,
}

impl RateLimiter {
    /// Takes tokens without waiting; `Pending` where waiting is configured and may help.
    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller, tokens: u32) -> Poll<Result<(), Error>> {
        match self.take(tokens) {
            Taken::Now => Poll::Ready(Ok(())),
            // Without the clock and the deadline, only what no wait can help is refused.
            Taken::After(after) if self.config.wait.is_some_and(|wait| after <= nanos(wait)) => Poll::Pending,
            refused => Poll::Ready(Err(self.refuse(caller, tokens, refused))),
        }
    }

    /// Gets in line, unless the turn would come after `deadline` or the configured limit.
    pub(crate) fn get_in_line(
        &self,
        caller: Caller,
        tokens: u32,
        now: Nanos,
        deadline: Nanos,
        waker: &Waker,
    ) -> Result<Waiting, Error> {
        let limit = now.saturating_add(self.config.wait.map_or(0, nanos));
        let waker = waker.clone();
        let mut queue = self.line.lock();
        let after = self.bucket.time_for(self.full_now(), now, queue.weight() + u64::from(tokens));
        let turn = now.saturating_add(after);
        if turn > limit || turn >= deadline {
            drop(queue);
            return Err(self.refuse(caller, tokens, Taken::After(after)));
        }
        let id = queue.push(Priority::Normal, tokens, now, waker);
        Ok(Waiting { id, tokens, limit: limit.min(deadline) })
    }

    /// The word of a bucket that a call has asked before.
    fn full_now(&self) -> u64 {
        self.full.load(Ordering::Acquire)
    }

    /// `Pending` with the instant at which to ask again, if nobody calls before.
    pub(crate) fn poll_turn(
        &self,
        caller: Caller,
        waiting: Waiting,
        now: Nanos,
        waker: &Waker,
    ) -> (Poll<Result<(), Error>>, Nanos) {
        let waker = waker.clone();
        let mut queue = self.line.lock();
        let taken = match queue.front() {
            Some(front) if front == waiting.id => self.take_ahead(waiting.tokens),
            _ => Taken::After(NEVER),
        };
        if taken == Taken::Now {
            leave(queue, waiting.id);
            return (Poll::Ready(Ok(())), NEVER);
        }
        if now >= waiting.limit {
            leave(queue, waiting.id);
            let after = self.bucket.time_for(self.full_now(), now, waiting.tokens.into());
            return (Poll::Ready(Err(self.refuse(caller, waiting.tokens, Taken::After(after.max(1))))), NEVER);
        }
        let (_, before) = queue.watch(waiting.id, waker);
        drop(queue);
        drop(before);
        let again = match taken {
            Taken::After(after) => now.saturating_add(after).min(waiting.limit),
            _ => waiting.limit,
        };
        (Poll::Pending, again)
    }

    /// A dropped waiter's turn goes to the next.
    pub(crate) fn leave_line(&self, waiting: Waiting) {
        leave(self.line.lock(), waiting.id);
    }
}

fn leave(mut queue: Locked<'_>, id: WaiterId) {
    let was_front = queue.front() == Some(id);
    let (_, kept) = queue.leave(id);
    let next = if was_front { queue.front_waker() } else { None };
    drop(queue);
    drop(kept);
    // Outside the lock: a waker may run anything.
    next.into_iter().for_each(Waker::wake);
}
