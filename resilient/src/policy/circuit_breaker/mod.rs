//! Stops calling what fails, and tries again later.

mod admission;
mod baseline;
mod change;
mod config;
mod control;
mod health;
mod history;
mod in_flight;
mod instance;
mod keyed;
#[cfg(test)]
mod long_run;
mod machine;
#[cfg(test)]
mod oracle;
mod queue;
mod rules;
mod settlement;
mod shed;
mod shortcuts;
mod state;
mod stats;
mod tally;
mod threads;
mod window;

pub use config::{CircuitBreakerConfig, Window};
pub use health::HealthCheck;
pub use keyed::CircuitBreakerTotals;
pub use state::CircuitState;
pub(crate) use state::Ticket;
use state::Tickets;
pub use stats::{CircuitBreakerStats, LastChange, TimeInStates};

use super::{
    keyed::Identity,
    owned_permit::OwnedPermit,
    permit::{Admit, Permit, sealed::Sealed},
};
use crate::sync::{
    Mutex, MutexGuard,
    atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release},
    },
};
use crate::{
    error::Error,
    event::{self, Caller, EventKind},
    mark,
    outcome::Ending,
    time::{NEVER, Nanos},
};
use change::Changes;
use health::{Health, News};
use in_flight::InFlight;
use machine::Machine;
use shortcuts::Shortcuts;
use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError},
};
use threads::Threads;

/// Stops calling what fails: it opens at a rate of failures or of slow calls, refuses calls for a while, then lets a few
/// probes decide.
///
/// While closed, a call costs one load of a shared word, and a success at most one write to memory that no other thread
/// writes. (A window of calls, which is exact, takes a short lock for each result until it is full of successes.)
/// A result from an earlier state never changes the state, a dropped probe gives its place back at once, and one
/// that hangs counts as failed after a while.
///
/// A breaker judges with every result that it records, and opens as soon as its rule holds. Results are dated when the
/// call ends. See [`CircuitBreakerConfig`] for the rules.
///
/// ```
/// # use resilient::{CircuitBreaker, CircuitBreakerConfig, CircuitState, Error};
/// static STORE: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(3));
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// async fn read() -> Result<String, Error> { Ok("value".into()) }
/// assert_eq!(STORE.call(read()).await.unwrap(), "value");
/// assert_eq!(STORE.state(), CircuitState::Closed);
/// # }
/// ```
pub struct CircuitBreaker {
    name: &'static str,
    /// Where events come from that no call causes.
    site: &'static str,
    /// Which of a keyed breaker's instances it is, and how that asks for the health of its own dependency.
    identity: Identity,
    /// The generation, and above it what calls may do without the lock.
    hot: AtomicU64,
    /// Until when calls are refused; 0 where that needs the lock.
    until: AtomicU64,
    /// The longest that may be.
    longest: AtomicU64,
    /// The width of a time window's bucket.
    width: AtomicU64,
    /// Above this a call is slow.
    slow_after: AtomicU64,
    core: Mutex<Core>,
    threads: Threads,
    in_flight: OnceLock<Box<InFlight>>,
    health: OnceLock<Box<Health>>,
}

/// What the lock guards.
struct Core {
    config: CircuitBreakerConfig,
    machine: Machine,
}

impl Core {
    /// With the mode that it was switched to.
    fn config(&self) -> CircuitBreakerConfig {
        self.config.mode(self.machine.rules.mode)
    }
}

impl CircuitBreaker {
    /// A closed breaker.
    ///
    /// # Panics
    /// When a number of the configuration can not work; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(config: CircuitBreakerConfig) -> Self {
        Self::owned(config, "")
    }

    /// That of one annotated fn.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn owned(config: CircuitBreakerConfig, site: &'static str) -> Self {
        config.assert();
        let rules = config.rules();
        Self {
            name: config.name,
            site,
            identity: Identity::none(),
            hot: AtomicU64::new(Shortcuts::first(&rules).word(0)),
            until: AtomicU64::new(0),
            longest: AtomicU64::new(rules.open_for.longest),
            width: AtomicU64::new(rules.bucket_width()),
            slow_after: AtomicU64::new(rules.slow_after()),
            core: Mutex::new(Core { config, machine: Machine::new(rules) }),
            threads: Threads::new(),
            in_flight: OnceLock::new(),
            health: OnceLock::new(),
        }
    }

    /// The configuration.
    pub fn config(&self) -> CircuitBreakerConfig {
        self.lock().config()
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Admits an attempt, or refuses it at once. Settle the permit with what the attempt did.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`] while open, while half-open with all probes in flight, and where a `ramp` or `shed` refuses.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_, Self>, Error> {
        self.admit_by_hand().map(|tickets| Permit::new(self, tickets))
    }

    /// Without a site, whose end would tell the site outside that it was refused.
    #[inline]
    fn admit_by_hand(&self) -> Result<Tickets, Error> {
        self.admit(Caller::BY_HAND).map(|ticket| Tickets { ticket, calls: 1 }).map_err(mark::refused)
    }

    /// Admits so many attempts, or refuses them at once: the requests of a batch, say. The permit settles all of them:
    /// each counts as what it is settled with.
    ///
    /// Half-open they take a probe's place each; where they are more than there are places they take them all, so that
    /// also who only comes with many finds out whether the dependency is well. A `ramp` and `shed` decide about them as
    /// about one call. With `slow_call`, one of them is noted while they are in flight and the others count as slow once
    /// they end. None at all are admitted always, and count as nothing. More than a million are taken for a million.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`] while open, while half-open with too few places, and where a `ramp` or `shed` refuses.
    ///
    /// ```
    /// # use resilient::{CircuitBreaker, CircuitBreakerConfig};
    /// # fn send(batch: &[u32]) -> Result<(), std::io::Error> { Ok(()) }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// static BREAKER: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new());
    /// let batch = [1, 2, 3];
    /// let permit = BREAKER.try_acquire_many(3)?;
    /// permit.record(&send(&batch));
    /// # Ok(()) }
    /// ```
    pub fn try_acquire_many(&self, attempts: u32) -> Result<Permit<'_, Self>, Error> {
        let calls = attempts.min(Tickets::MOST);
        let ticket =
            if calls == 0 { Ticket::NONE } else { self.admit_many(Caller::BY_HAND, calls).map_err(mark::refused)? };
        Ok(Permit::new(self, Tickets { ticket, calls }))
    }

    /// Whether it is the instance of a key: of these there may be very many, each used by few.
    #[inline]
    fn is_one_of_many(&self) -> bool {
        self.identity.label().is_some()
    }

    /// As [`try_acquire`](Self::try_acquire), for a breaker that is shared by `Arc`: the permit holds it.
    ///
    /// # Errors
    /// As those of [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedPermit<Self>, Error> {
        let tickets = self.admit_by_hand()?;
        Ok(OwnedPermit::new(self, tickets))
    }

    fn in_flight(&self) -> &InFlight {
        self.in_flight.get_or_init(|| Box::new(InFlight::new()))
    }

    /// Lets the machine make one step, publishes what calls may do without it from then on, and reports what changed.
    fn step<R>(&self, caller: Caller, now: Nanos, step: impl FnOnce(&mut Machine, &mut Changes) -> R) -> R {
        self.step_after(caller, now, || (), |machine, changes, ()| step(machine, changes))
    }

    /// The same, with something that is done under the lock before calls in flight are found slow.
    fn step_after<T, R>(
        &self,
        caller: Caller,
        now: Nanos,
        before: impl FnOnce() -> T,
        step: impl FnOnce(&mut Machine, &mut Changes, T) -> R,
    ) -> R {
        let mut changes = Changes::default();
        let mut core = self.lock();
        core.machine.seed(|| fastrand::u64(1..));
        let unwatched = self.hear_news(&mut core.machine, now, &mut changes);
        let before = before();
        self.count_slow(&mut core.machine, now, &mut changes);
        let result = step(&mut core.machine, &mut changes, before);
        self.publish(&core.machine, now);
        drop(core);
        if let Some(generation) = unwatched {
            self.emit(caller, EventKind::HealthCheckStopped);
            // It may only be that nobody runs it.
            self.health.get().into_iter().for_each(|health| health.stop(generation));
        }
        self.report(caller, &changes);
        result
    }

    fn publish(&self, machine: &Machine, now: Nanos) {
        let shortcuts = machine.shortcuts(now, &self.threads.successes(machine.generation()));
        let until = match machine.state() {
            CircuitState::ForcedOpen => NEVER,
            _ => machine.until().unwrap_or(0),
        };
        self.until.store(until, Relaxed);
        self.hot.store(shortcuts.word(machine.generation()), Release);
    }

    /// What the health check has found out. Tells for which generation it has stopped.
    fn hear_news(&self, machine: &mut Machine, now: Nanos, changes: &mut Changes) -> Option<u32> {
        match self.health.get().and_then(|health| health.take_news(now)) {
            Some(News::Well { generation }) => machine.healthy(generation, now, changes),
            Some(News::Gone { generation }) => return machine.unwatched(generation).then_some(generation),
            None => {}
        }
        None
    }

    /// Counts the calls in flight that have become slow.
    fn count_slow(&self, machine: &mut Machine, now: Nanos, changes: &mut Changes) {
        let (Some(slow), Some(calls)) = (machine.rules.slow, self.in_flight.get()) else { return };
        if calls.is_due(now) {
            let generation = machine.generation();
            let successes = self.threads.successes(generation);
            calls.sweep(generation, now, slow.after, |at| {
                let is_present = generation == machine.generation();
                is_present.then(|| machine.overdue(at, &successes, changes)).flatten()
            });
        }
    }

    /// On whose behalf time and hands act.
    fn owner(&self) -> Caller {
        Caller { site: self.site, alias: "" }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn emit(&self, caller: Caller, kind: EventKind) {
        event::emit_of(caller, self.name, self.identity.label(), kind);
    }

    fn report(&self, caller: Caller, changes: &Changes) {
        for change in changes.iter() {
            if change.from == CircuitState::Open {
                if let Some(health) = self.health.get() {
                    health.stop(change.generation);
                }
            }
            self.emit(caller, control::event(change));
            if change.to == CircuitState::Open {
                self.watch_health(caller, change.generation);
            }
        }
    }
}

/// Without letting time act, which would report what a look should not.
impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.lock();
        let (config, state) = (core.config(), core.machine.state());
        drop(core);
        f.debug_struct("CircuitBreaker").field("config", &config).field("state", &state).finish_non_exhaustive()
    }
}

impl Sealed for CircuitBreaker {}

impl Admit for CircuitBreaker {
    type Ticket = Tickets;

    #[inline]
    fn settle(&self, Tickets { ticket, calls }: Tickets, ending: Ending) {
        match calls {
            1 => self.settle(Caller::BY_HAND, ticket, ending),
            calls => self.settle_many(Caller::BY_HAND, ticket, ending, calls),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::mode::Mode;
    use std::time::Duration;

    #[test]
    fn what_shedding_would_have_refused_does_not_count_in_the_shadow() {
        let config = CircuitBreakerConfig::new().shed(2.0).min_calls(1).mode(Mode::Shadow);
        let breaker = CircuitBreaker::new(config);
        let mut refused = 0;
        for _ in 0..100 {
            let before = breaker.stats();
            let permit = breaker.try_acquire().unwrap();
            if breaker.stats().shed == before.shed {
                permit.failure();
            } else {
                permit.success();
                refused += 1;
                assert_eq!(breaker.stats().calls, before.calls);
            }
        }
        assert!(refused > 50, "{refused}");
    }

    #[test]
    fn a_probe_that_succeeds_stands_in_no_window() {
        let time = Duration::from_millis(1);
        let breaker = CircuitBreaker::new(CircuitBreakerConfig::new().min_calls(1).successes(2).open_for(time));
        breaker.try_acquire().unwrap().failure();
        std::thread::sleep(2 * time);
        breaker.try_acquire().unwrap().success();
        let stats = breaker.stats();
        assert_eq!((stats.state, stats.calls, stats.failure_rate), (CircuitState::HalfOpen, 0, None));
    }
}
