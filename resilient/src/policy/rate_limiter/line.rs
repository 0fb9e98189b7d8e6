//! Calls that wait for their tokens: the more urgent first, and of these who came first. Only the front takes tokens; who
//! leaves calls the next.

use super::{RateLimiter, Taken, is_reserved, locked::Locked, stats::Refusal};
use crate::{
    error::Error,
    event::Caller,
    priority::Priority,
    queue::WaiterId,
    time::{NEVER, Nanos},
};
use std::task::{Poll, Waker};

/// A call in line.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    id: WaiterId,
    class: Priority,
    tokens: u32,
    since: Nanos,
    /// When it is refused.
    limit: Nanos,
}

impl RateLimiter {
    /// Takes tokens without waiting; `Pending` where waiting is configured and may help.
    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller, class: Priority, tokens: u32) -> Poll<Result<(), Error>> {
        match self.take(class, tokens) {
            Taken::Now => Poll::Ready(Ok(())),
            refused => self.admit_later(caller, tokens, refused),
        }
    }

    #[cold]
    fn admit_later(&self, caller: Caller, tokens: u32, refused: Taken) -> Poll<Result<(), Error>> {
        match refused {
            // Without the clock and the deadline, only what no wait can help is refused.
            Taken::After(after) if self.may_wait() && self.live.wait().is_some_and(|wait| after <= wait) => {
                Poll::Pending
            }
            refused => Poll::Ready(self.refuse(caller, tokens, refused, Refusal::AtOnce)),
        }
    }

    /// Gets in line, unless the turn would come after `deadline` or the configured limit.
    pub(crate) fn get_in_line(
        &self,
        caller: Caller,
        (class, tokens): (Priority, u32),
        deadline: Nanos,
        waker: &Waker,
    ) -> Result<Option<Waiting>, Error> {
        let waker = waker.clone();
        let mut locked = self.lock();
        let now = locked.now();
        let limit = now.saturating_add(self.live.wait().unwrap_or(0));
        let ahead = locked.line.weight_ahead_of_new(class, now);
        let after = locked.time_for(ahead + u64::from(tokens), is_reserved(class));
        let turn = now.saturating_add(after);
        if turn > limit || turn >= deadline {
            drop(locked);
            return self.refuse(caller, tokens, Taken::After(after.max(1)), Refusal::AtOnce).map(|()| None);
        }
        let id = locked.line.push(class, tokens, now, waker);
        Ok(Some(Waiting { id, class, tokens, since: now, limit: limit.min(deadline) }))
    }

    /// `Pending` with the instant at which to ask again, if nobody calls before.
    pub(crate) fn poll_turn(
        &self,
        caller: Caller,
        waiting: Waiting,
        waker: &Waker,
    ) -> (Poll<Result<(), Error>>, Nanos) {
        let waker = waker.clone();
        let mut locked = self.lock();
        let now = locked.now();
        let is_front = locked.line.front() == Some(waiting.id);
        let taken = if is_front { locked.decide_for_front(waiting.class, waiting.tokens) } else { Taken::After(NEVER) };
        if taken == Taken::Now {
            leave(locked, waiting.id);
            self.waited(now.saturating_sub(waiting.since));
            return (Poll::Ready(Ok(())), NEVER);
        }
        if now >= waiting.limit {
            let ahead = locked.line.weight_ahead(waiting.id).unwrap_or(0);
            let tokens = ahead + u64::from(waiting.tokens);
            let after = locked.time_for(tokens, is_reserved(waiting.class)).max(1);
            leave(locked, waiting.id);
            let refused = self.refuse(caller, waiting.tokens, Taken::After(after), Refusal::Waited);
            return (Poll::Ready(refused), NEVER);
        }
        let (_, before) = locked.line.watch(waiting.id, waker);
        drop(locked);
        drop(before);
        let again = match taken {
            Taken::After(after) => now.saturating_add(after).min(waiting.limit),
            _ => waiting.limit,
        };
        (Poll::Pending, again)
    }

    /// A dropped waiter's turn goes to the next.
    pub(crate) fn leave_line(&self, waiting: Waiting) {
        leave(self.lock(), waiting.id);
    }
}

fn leave(mut locked: Locked<'_>, id: WaiterId) {
    let was_front = locked.line.front() == Some(id);
    let (_, kept) = locked.line.leave(id);
    let next = if was_front { locked.line.front_waker() } else { None };
    drop(locked);
    drop(kept);
    // Outside the lock: a waker may run anything.
    next.into_iter().for_each(Waker::wake);
}
