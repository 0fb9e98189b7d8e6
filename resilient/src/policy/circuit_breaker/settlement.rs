//! How the ends of calls are taken.

use super::{
    CircuitBreaker,
    in_flight::{Watched, clock},
    machine::{End, Taken},
    rules::Slow,
    shortcuts::{ABSORB, ADMIT, COUNT, DEAF, EVIDENCE_HELD, GENERATION, WATCH, generation},
    state::{Place, Ticket},
    threads::Count,
};
use crate::{
    event::{Caller, EventKind},
    outcome::Ending,
    sync::atomic::Ordering::{Acquire, Relaxed},
    time::{Nanos, coarse, precise},
};

impl CircuitBreaker {
    #[inline(always)]
    pub(crate) fn settle(&self, caller: Caller, ticket: Ticket, ending: Ending) {
        let hot = self.hot.load(Acquire);
        let absorbed = hot & (ABSORB | WATCH | DEAF | GENERATION) == ABSORB | u64::from(ticket.generation);
        if ending == Ending::Success && absorbed {
            return;
        }
        self.settle_recorded(caller, ticket, ending, hot);
    }

    /// All of the calls that were admitted together.
    #[cold]
    pub(super) fn settle_many(&self, caller: Caller, ticket: Ticket, ending: Ending, calls: u32) {
        if calls > 0 {
            self.count(ending, calls, self.hot.load(Acquire));
            if ticket.place != Place::SHADOW {
                self.settle_locked(caller, ticket, ending, calls);
            }
        }
    }

    /// Counts what is no result.
    #[inline]
    fn count(&self, ending: Ending, calls: u32, hot: u64) {
        match ending {
            _ if hot & DEAF != 0 => {}
            Ending::Ignored => self.threads.count(|| self.is_one_of_many(), Count::Ignored, calls),
            Ending::Cancelled => self.threads.count(|| self.is_one_of_many(), Count::Cancelled, calls),
            _ => {}
        }
    }

    #[inline(never)]
    fn settle_recorded(&self, caller: Caller, ticket: Ticket, ending: Ending, hot: u64) {
        self.count(ending, 1, hot);
        if ticket.place == Place::SHADOW {
            return;
        }
        if let Some(index) = ticket.place.as_watched() {
            let after = self.slow_after.load(Relaxed);
            let now = clock(after);
            let calls = self.in_flight();
            if calls.is_due(now) || !calls.end_fast(index, now, after) {
                return self.settle_locked(caller, ticket, ending, 1);
            }
        }
        if generation(hot) == ticket.generation {
            match ending {
                Ending::Success if hot & ABSORB != 0 => return,
                Ending::Success if hot & COUNT != 0 => {
                    let first =
                        self.threads.success(|| self.is_one_of_many(), ticket.generation, self.bucket(coarse()), 1);
                    if !(first && hot & EVIDENCE_HELD != 0) {
                        return;
                    }
                    return self.settle_counted(caller, ticket);
                }
                Ending::Ignored | Ending::Cancelled if hot & ADMIT != 0 => return,
                _ => {}
            }
        }
        self.settle_locked(caller, Ticket { place: ticket.place.unless_watched(), ..ticket }, ending, 1);
    }

    /// For a success that its thread has counted already.
    #[cold]
    fn settle_counted(&self, caller: Caller, ticket: Ticket) {
        let now = precise();
        self.step(caller, now, |machine, changes| {
            let successes = self.threads.successes(ticket.generation);
            machine.settle(ticket, End::fast(Ending::Success), now, &successes, changes)
        });
    }

    #[inline(never)]
    fn settle_locked(&self, caller: Caller, ticket: Ticket, ending: Ending, calls: u32) {
        let now = precise();
        let watched = ticket.place.as_watched();
        let take = || watched.and_then(|index| self.in_flight().end(index));
        let is_neutral = matches!(ending, Ending::Ignored | Ending::Cancelled);
        // A result is judged whole, slow or not; a call without one is at most found slow while it is still in flight.
        let before = || if is_neutral { None } else { take() };
        let taken = self.step_after(caller, now, before, |machine, changes, taken| {
            let end = End { calls, ..Self::end(taken.or_else(take), ending, now, machine.rules.slow) };
            // A result that time makes a late one is no success of its thread's.
            machine.advance(now, changes);
            if machine.counts_elsewhere(ticket, end) {
                self.threads.success(
                    || self.is_one_of_many(),
                    ticket.generation,
                    now / machine.rules.bucket_width(),
                    calls,
                );
            }
            machine.settle(ticket, end, now, &self.threads.successes(ticket.generation), changes)
        });
        if taken == Taken::Late && !is_neutral {
            self.emit(caller, EventKind::LateResult);
        }
    }

    /// What is known of a call that ends.
    fn end(watched: Option<Watched>, ending: Ending, now: Nanos, slow: Option<Slow>) -> End {
        match watched {
            None => End::fast(ending),
            Some(Watched::Counted(position)) => End { slow: true, counted: Some(position), ..End::fast(ending) },
            Some(Watched::Since(began)) => {
                let slow = slow.is_some_and(|slow| now.saturating_sub(began) > slow.after);
                End { slow, ..End::fast(ending) }
            }
        }
    }

    /// The bucket of a time window.
    #[inline]
    fn bucket(&self, now: Nanos) -> u64 {
        now / self.width.load(Relaxed)
    }
}
