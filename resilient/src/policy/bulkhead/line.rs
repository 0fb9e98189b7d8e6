//! How calls are let in, get in line, or are refused.

use super::{
    Bulkhead, Ticket,
    places::{Joined, Turn},
    stats::Reason,
};
use crate::{
    error::Error,
    event::Caller,
    policy::mode::Mode,
    priority::Priority,
    queue::{Order, WaiterId},
    time::{NEVER, Nanos},
};
use std::task::{Poll, Waker};

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) places: u32,
    pub(crate) class: Priority,
    /// For how long it waits, if not as configured; 0 for not at all.
    pub(crate) wait: Option<Nanos>,
}

impl Ask {
    pub(crate) const ONE: Self = Self::new(1, Priority::Normal);

    pub(crate) const fn new(places: u32, class: Priority) -> Self {
        Self { places, class, wait: None }
    }
}

/// A call that waits for places.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    id: WaiterId,
    places: u32,
    since: Nanos,
    /// When it is refused.
    limit: Nanos,
}

impl Waiting {
    /// When it is refused.
    pub(crate) const fn limit(&self) -> Nanos {
        self.limit
    }
}

impl Bulkhead {
    /// Takes places without waiting; `Pending` where waiting may help.
    #[inline]
    pub(crate) fn admit_for(&self, caller: Caller, ask: &Ask) -> Poll<Result<Ticket, Error>> {
        if ask.places <= self.settings.max() && self.places.enter(ask.places) {
            return Poll::Ready(Ok(self.ticket(ask.places)));
        }
        self.admit_or_wait(caller, ask)
    }

    /// What becomes of one who does not find its places free.
    #[inline(never)]
    pub(super) fn admit_or_wait(&self, caller: Caller, ask: &Ask) -> Poll<Result<Ticket, Error>> {
        let places = ask.places;
        match self.places.mode() {
            Mode::Off => return Poll::Ready(Ok(Ticket::NONE)),
            _ if places > self.settings.max() => return Poll::Ready(self.refuse(caller, places, Reason::TooMany)),
            // Nobody waits there: whether a place would have come in time is not known.
            Mode::Shadow if self.places.enter_in_shadow(places) => return Poll::Ready(Ok(self.ticket(places))),
            Mode::On if self.wait_of(ask).is_some_and(|wait| wait > 0) => {}
            _ => return Poll::Ready(self.refuse(caller, places, Reason::Full)),
        }
        let is_full = self.places.word().waiters() as usize >= self.settings.queue();
        // In other orders a full line may have to make room.
        if is_full && self.born.order == Order::Fifo {
            return Poll::Ready(self.refuse(caller, places, Reason::QueueFull));
        }
        Poll::Pending
    }

    fn wait_of(&self, ask: &Ask) -> Option<Nanos> {
        ask.wait.or_else(|| self.settings.wait())
    }

    /// Gets in line until `last` at most, unless that is full. `Err` where it does not wait after all.
    pub(crate) fn get_in_line(
        &self,
        caller: Caller,
        ask: &Ask,
        now: Nanos,
        last: Nanos,
        waker: &Waker,
    ) -> Result<Waiting, Result<Ticket, Error>> {
        let wait = self.wait_of(ask).unwrap_or(0);
        let limit = if wait == NEVER { NEVER } else { now.saturating_add(wait) };
        match self.places.get_in_line(ask.places, ask.class, now, self.settings.queue(), waker) {
            Joined::InLine(id) => Ok(Waiting { id, places: ask.places, since: now, limit: limit.min(last) }),
            Joined::Inside => Err(Ok(self.ticket(ask.places))),
            Joined::Full => Err(self.refuse(caller, ask.places, Reason::QueueFull)),
            Joined::Free => Err(Ok(Ticket::NONE)),
        }
    }

    /// `Pending` with the instant at which to ask again, if nobody calls before.
    pub(crate) fn poll_turn(
        &self,
        caller: Caller,
        waiting: Waiting,
        now: Nanos,
        waker: &Waker,
    ) -> (Poll<Result<Ticket, Error>>, Nanos) {
        let turn = match self.places.turn(waiting.id, waker) {
            Turn::NotYet if now < waiting.limit => return (Poll::Pending, waiting.limit),
            Turn::NotYet => {
                self.places.leave_line(waiting.id, waiting.places);
                self.refuse(caller, waiting.places, Reason::WaitedTooLong)
            }
            Turn::Lost => self.refuse(caller, waiting.places, Reason::QueueFull),
            Turn::Free => Ok(Ticket::NONE),
            Turn::Come => {
                self.counters.waited(now.saturating_sub(waiting.since));
                Ok(self.ticket(waiting.places))
            }
        };
        (Poll::Ready(turn), NEVER)
    }

    /// A dropped waiter passes its turn on.
    pub(crate) fn leave_line(&self, waiting: Waiting) {
        self.counters.refused(Reason::GaveUp);
        self.places.leave_line(waiting.id, waiting.places);
    }
}
