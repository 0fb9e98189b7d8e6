//! How calls are let through, or refused.

use super::{
    CircuitBreaker,
    in_flight::clock,
    machine::Admission,
    shortcuts::{ADMIT, SHADOW, WATCH, generation},
    state::{Place, Ticket},
    threads::Count,
};
use crate::{
    error::Error,
    event::{self, Caller},
    sync::atomic::Ordering::{Acquire, Relaxed},
    time::{NEVER, Nanos, TICK, coarse, precise},
};
use std::time::Duration;

impl CircuitBreaker {
    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller) -> Result<Ticket, Error> {
        let hot = self.hot.load(Acquire);
        if hot & (ADMIT | WATCH) == ADMIT {
            return Ok(Ticket { generation: generation(hot), place: Place::NONE });
        }
        self.admit_or_ask(caller, hot, 1)
    }

    pub(super) fn admit_many(&self, caller: Caller, calls: u32) -> Result<Ticket, Error> {
        let hot = self.hot.load(Acquire);
        if hot & (ADMIT | WATCH) == ADMIT {
            return Ok(Ticket { generation: generation(hot), place: Place::NONE });
        }
        self.admit_or_ask(caller, hot, calls)
    }

    #[inline(never)]
    fn admit_or_ask(&self, caller: Caller, hot: u64, calls: u32) -> Result<Ticket, Error> {
        if hot & ADMIT == 0 {
            return self.ask(caller, calls);
        }
        let after = self.slow_after.load(Relaxed);
        let (now, in_flight) = (clock(after), self.in_flight());
        if in_flight.is_due(now) {
            return self.ask(caller, calls);
        }
        let generation = generation(hot);
        Ok(Ticket { generation, place: in_flight.begin(|| self.is_one_of_many(), generation, now, after) })
    }

    /// Asks the machine, unless time alone can tell.
    #[inline(never)]
    fn ask(&self, caller: Caller, calls: u32) -> Result<Ticket, Error> {
        let (until, health) = (self.until.load(Relaxed), self.health.get());
        if until != 0 && !health.is_some_and(|health| health.has_news()) {
            if until == NEVER {
                if !health.is_some_and(|health| health.is_silent(coarse())) {
                    return self.refuse(caller, None, calls);
                }
            } else {
                // A time farther off than that comes from a clock that has since stepped back: the machine mends it.
                let remaining = until.saturating_sub(coarse());
                if remaining > TICK && remaining <= self.longest.load(Relaxed) {
                    self.watch_late(caller);
                    return self.refuse(caller, Some(remaining), calls);
                }
            }
        }
        let now = precise();
        let (admission, watched) = self.step(caller, now, |machine, changes| {
            let successes = self.threads.successes(machine.generation());
            let admission = machine.admit_many(now, calls, &successes, changes);
            (admission, machine.watches())
        });
        match admission {
            Admission::Admitted(ticket) if ticket.place == Place::NONE && watched => {
                let place = self.in_flight().begin(
                    || self.is_one_of_many(),
                    ticket.generation,
                    now,
                    self.slow_after.load(Relaxed),
                );
                Ok(Ticket { place, ..ticket })
            }
            Admission::Admitted(ticket) => Ok(ticket),
            Admission::Refused { retry_at } => {
                self.watch_late(caller);
                self.refuse(caller, retry_at.map(|at| at.saturating_sub(now)), calls)
            }
        }
    }

    /// Begins to ask for the dependency's health, where no thread with a runtime has been seen since it opened.
    fn watch_late(&self, caller: Caller) {
        if let Some(generation) = self.health.get().and_then(|health| health.unasked()) {
            self.watch_health(caller, generation);
        }
    }

    fn refuse(&self, caller: Caller, retry_after: Option<Nanos>, calls: u32) -> Result<Ticket, Error> {
        self.threads.count(|| self.is_one_of_many(), Count::Rejected, calls);
        let retry_after = retry_after.map(Duration::from_nanos);
        let error = Error::CircuitOpen { policy: caller.policy(self.name), site: caller.site, retry_after };
        let shadow = self.hot.load(Relaxed) & SHADOW != 0;
        if event::heard() {
            event::refused(&error, self.identity.label(), shadow);
        }
        if shadow { Ok(Ticket { place: Place::SHADOW, ..Ticket::NONE }) } else { Err(error) }
    }
}
