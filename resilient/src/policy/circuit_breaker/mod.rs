//! Stops calling what fails, and tries again later.

mod baseline;
mod change;
mod config;
mod control;
mod health;
mod in_flight;
#[cfg(test)]
mod long_run;
mod machine;
#[cfg(test)]
mod oracle;
mod rules;
mod shed;
mod state;
mod stats;
mod threads;
mod window;

pub use config::{CircuitBreakerConfig, Window};
pub use health::{Checking, HealthCheck};
pub use state::CircuitState;
pub(crate) use state::Ticket;
pub use stats::{CircuitBreakerStats, LastChange, TimeInStates};

use super::{
    keyed::{Birth, Instance},
    mode::Mode,
    permit::{Admit, Permit, sealed::Sealed},
};
use crate::sync::{
    Mutex, MutexGuard,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};
use crate::{
    error::Error,
    event::{self, Caller, EventKind},
    outcome::Ending,
    time::{NEVER, Nanos, TICK, coarse, precise},
};
use change::Changes;
use health::{Health, News};
use in_flight::{InFlight, Watched};
use machine::{Admission, End, Machine, Shortcuts, Taken};
use rules::{Rules, Slow, Span};
use state::Place;
use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError},
    time::Duration,
};
use threads::{Count, Threads};
use window::BUCKETS;

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
    /// Which of a keyed breaker's instances it is.
    label: Option<Arc<str>>,
    /// How it asks for the health of its own dependency, if not as its configuration says.
    ask: Option<health::Ask>,
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

const ADMIT: u64 = 1 << 32;
const ABSORB: u64 = 1 << 33;
const COUNT: u64 = 1 << 34;
const EVIDENCE_HELD: u64 = 1 << 35;
/// The time of calls is watched.
const WATCH: u64 = 1 << 36;
/// What would be refused passes.
const SHADOW: u64 = 1 << 37;
/// Nothing is recorded.
const DEAF: u64 = 1 << 38;

const GENERATION: u64 = u32::MAX as u64;

const fn generation(hot: u64) -> u32 {
    hot as u32
}

const fn width(rules: &Rules) -> Nanos {
    match rules.span {
        Span::Time(time) => time / BUCKETS,
        Span::Streak | Span::Calls(_) => 1,
    }
}

const fn slow_after(rules: &Rules) -> Nanos {
    match rules.slow {
        Some(slow) => slow.after,
        None => NEVER,
    }
}

/// The clock by which a call is slow: the coarse one where its lag is at most a hundredth.
#[inline]
#[allow(clippy::absurd_extreme_comparisons, reason = "without a coarse clock there is no lag")]
fn clock(after: Nanos) -> Nanos {
    if after / 100 >= TICK { coarse() } else { precise() }
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
        let watch = if rules.slow.is_some() { WATCH } else { 0 };
        let hot = match (rules.mode, rules.span) {
            (Mode::Off, _) => ADMIT | ABSORB | DEAF,
            (_, Span::Streak) => ADMIT | ABSORB,
            (_, Span::Calls(_)) => ADMIT | watch,
            (_, Span::Time(_)) => ADMIT | COUNT | watch,
        };
        Self {
            name: config.name,
            site,
            label: None,
            ask: None,
            hot: AtomicU64::new(hot),
            until: AtomicU64::new(0),
            longest: AtomicU64::new(rules.open_for.longest),
            width: AtomicU64::new(width(&rules)),
            slow_after: AtomicU64::new(slow_after(&rules)),
            core: Mutex::new(Core { config, machine: Machine::new(rules) }),
            threads: Threads::new(),
            in_flight: OnceLock::new(),
            health: OnceLock::new(),
        }
    }

    /// The configuration.
    pub fn config(&self) -> CircuitBreakerConfig {
        self.lock().config
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
        self.admit(Caller::BY_HAND).map(|ticket| Permit::new(self, ticket))
    }

    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller) -> Result<Ticket, Error> {
        let hot = self.hot.load(Acquire);
        if hot & (ADMIT | WATCH) == ADMIT {
            return Ok(Ticket { generation: generation(hot), place: Place::NONE });
        }
        self.admit_or_ask(caller, hot)
    }

    #[inline(never)]
    fn admit_or_ask(&self, caller: Caller, hot: u64) -> Result<Ticket, Error> {
        if hot & ADMIT == 0 {
            return self.ask(caller);
        }
        let after = self.slow_after.load(Relaxed);
        let (now, calls) = (clock(after), self.in_flight());
        if calls.is_due(now) {
            return self.ask(caller);
        }
        let generation = generation(hot);
        Ok(Ticket { generation, place: calls.begin(generation, now, after) })
    }

    /// Asks the machine, unless time alone can tell.
    #[inline(never)]
    fn ask(&self, caller: Caller) -> Result<Ticket, Error> {
        let until = self.until.load(Relaxed);
        let has_news = self.health.get().is_some_and(|health| health.has_news());
        if until != 0 && !has_news {
            if until == NEVER {
                return self.refuse(caller, None);
            }
            // A time farther off than that comes from a clock that has since stepped back: the machine mends it.
            let remaining = until.saturating_sub(coarse());
            if remaining > TICK && remaining <= self.longest.load(Relaxed) {
                return self.refuse(caller, Some(remaining));
            }
        }
        let now = precise();
        let (admission, watched) = self.step(caller, now, |machine, changes| {
            let successes = self.threads.successes(machine.generation());
            let admission = machine.admit(now, &successes, changes);
            (admission, machine.shortcuts(now, &successes).watch)
        });
        match admission {
            Admission::Admitted(ticket) if ticket.place == Place::NONE && watched => {
                let place = self.in_flight().begin(ticket.generation, now, self.slow_after.load(Relaxed));
                Ok(Ticket { place, ..ticket })
            }
            Admission::Admitted(ticket) => Ok(ticket),
            Admission::Refused { retry_at } => self.refuse(caller, retry_at.map(|at| at.saturating_sub(now))),
        }
    }

    fn refuse(&self, caller: Caller, retry_after: Option<Nanos>) -> Result<Ticket, Error> {
        self.threads.count(Count::Rejected);
        let retry_after = retry_after.map(Duration::from_nanos);
        let error = Error::CircuitOpen { policy: caller.policy(self.name), site: caller.site, retry_after };
        let shadow = self.hot.load(Relaxed) & SHADOW != 0;
        if event::heard() {
            event::refused(&error, self.label.as_ref(), shadow);
        }
        if shadow { Ok(Ticket { place: Place::SHADOW, ..Ticket::NONE }) } else { Err(error) }
    }

    #[inline(always)]
    pub(crate) fn settle(&self, caller: Caller, ticket: Ticket, ending: Ending) {
        let hot = self.hot.load(Acquire);
        let absorbed = hot & (ABSORB | WATCH | DEAF | GENERATION) == ABSORB | u64::from(ticket.generation);
        if ending == Ending::Success && absorbed {
            return;
        }
        self.settle_recorded(caller, ticket, ending, hot);
    }

    #[inline(never)]
    fn settle_recorded(&self, caller: Caller, ticket: Ticket, ending: Ending, hot: u64) {
        match ending {
            _ if hot & DEAF != 0 => {}
            Ending::Ignored => self.threads.count(Count::Ignored),
            Ending::Cancelled => self.threads.count(Count::Cancelled),
            _ => {}
        }
        if ticket.place == Place::SHADOW {
            return;
        }
        if let Some(index) = ticket.place.as_watched() {
            let after = self.slow_after.load(Relaxed);
            let now = clock(after);
            let calls = self.in_flight();
            if calls.is_due(now) || !calls.end_fast(index, now, after) {
                return self.settle_locked(caller, ticket, ending);
            }
        }
        if generation(hot) == ticket.generation {
            match ending {
                Ending::Success if hot & ABSORB != 0 => return,
                Ending::Success if hot & COUNT != 0 => {
                    let first = self.threads.success(ticket.generation, self.bucket(coarse()));
                    if !(first && hot & EVIDENCE_HELD != 0) {
                        return;
                    }
                    return self.settle_counted(caller, ticket);
                }
                Ending::Ignored | Ending::Cancelled if hot & ADMIT != 0 => return,
                _ => {}
            }
        }
        self.settle_locked(caller, Ticket { place: ticket.place.unless_watched(), ..ticket }, ending);
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
    fn settle_locked(&self, caller: Caller, ticket: Ticket, ending: Ending) {
        let now = precise();
        let watched = ticket.place.as_watched();
        let take = || watched.and_then(|index| self.in_flight().end(index));
        let is_neutral = matches!(ending, Ending::Ignored | Ending::Cancelled);
        // A result is judged whole, slow or not; a call without one is at most found slow while it is still in flight.
        let before = || if is_neutral { None } else { take() };
        let taken = self.step_after(caller, now, before, |machine, changes, taken| {
            let end = Self::end(taken.or_else(take), ending, now, machine.rules.slow);
            if machine.counts_elsewhere(ticket, end) {
                self.threads.success(ticket.generation, now / width(&machine.rules));
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
            Some(Watched::Counted(position)) => End { ending, slow: true, counted: Some(position) },
            Some(Watched::Since(began)) => {
                let slow = slow.is_some_and(|slow| now.saturating_sub(began) > slow.after);
                End { ending, slow, counted: None }
            }
        }
    }

    fn in_flight(&self) -> &InFlight {
        self.in_flight.get_or_init(|| Box::new(InFlight::new()))
    }

    /// The bucket of a time window.
    #[inline]
    fn bucket(&self, now: Nanos) -> u64 {
        now / self.width.load(Relaxed)
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
        let is_unwatched = self.hear_news(&mut core.machine, now, &mut changes);
        let before = before();
        self.count_slow(&mut core.machine, now, &mut changes);
        let result = step(&mut core.machine, &mut changes, before);
        self.publish(&core.machine, now);
        drop(core);
        if is_unwatched {
            self.emit(caller, EventKind::HealthCheckStopped);
        }
        self.report(caller, &changes);
        result
    }

    fn publish(&self, machine: &Machine, now: Nanos) {
        let Shortcuts { admit, absorb, count, evidence_held, watch } =
            machine.shortcuts(now, &self.threads.successes(machine.generation()));
        let until = match machine.state() {
            CircuitState::ForcedOpen => NEVER,
            _ => machine.until().unwrap_or(0),
        };
        self.until.store(until, Relaxed);
        let shadow = machine.rules.mode == Mode::Shadow;
        let deaf = machine.rules.mode == Mode::Off || machine.state() == CircuitState::Disabled;
        let flags = [
            (admit, ADMIT),
            (absorb, ABSORB),
            (count, COUNT),
            (evidence_held, EVIDENCE_HELD),
            (watch, WATCH),
            (shadow, SHADOW),
            (deaf, DEAF),
        ];
        let set = flags.into_iter().filter(|(set, _)| *set).fold(0, |word, (_, flag)| word | flag);
        self.hot.store(u64::from(machine.generation()) | set, Release);
    }

    /// What the health check has found out. Tells whether it has stopped.
    fn hear_news(&self, machine: &mut Machine, now: Nanos, changes: &mut Changes) -> bool {
        match self.health.get().and_then(|health| health.take_news()) {
            Some(News::Well { generation }) => machine.healthy(generation, now, changes),
            Some(News::Gone { generation }) => return machine.unwatched(generation),
            None => {}
        }
        false
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
        event::emit_of(caller, self.name, self.label.as_ref(), kind);
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
        let (config, state) = (core.config, core.machine.state());
        drop(core);
        f.debug_struct("CircuitBreaker").field("config", &config).field("state", &state).finish_non_exhaustive()
    }
}

impl Sealed for CircuitBreaker {}

impl Instance for CircuitBreaker {
    type Config = CircuitBreakerConfig;
    type Stats = CircuitBreakerStats;

    fn born(config: CircuitBreakerConfig, site: &'static str, birth: Birth) -> Self {
        let Birth { label, check } = birth;
        Self { label, ask: check.map(health::Ask::Own), ..Self::owned(config, site) }
    }

    fn name_of(config: &CircuitBreakerConfig) -> &'static str {
        config.name
    }

    fn is_pinned(&self) -> bool {
        let now = precise();
        self.lock().machine.is_pinned(now)
    }

    fn stats(&self) -> CircuitBreakerStats {
        self.stats()
    }

    fn reset(&self) {
        self.reset();
    }
}

impl Admit for CircuitBreaker {
    type Ticket = Ticket;

    #[inline]
    fn settle(&self, ticket: Ticket, ending: Ending) {
        self.settle(Caller::BY_HAND, ticket, ending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
