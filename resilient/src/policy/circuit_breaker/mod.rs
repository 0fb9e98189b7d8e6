//! Stops calling what fails, and tries again later.

mod config;
mod state;
mod threads;
mod window;

pub use config::{CircuitBreakerConfig, Window};
pub use state::CircuitState;
pub(crate) use state::Ticket;

use super::permit::{Admit, Permit, sealed::Sealed};
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
    time::{NEVER, Nanos, TICK, coarse, nanos, precise},
};
use config::Span;
use state::{Admission, Machine, Shortcuts, Taken, Transition, Transitions};
use std::{fmt, sync::PoisonError, time::Duration};
use threads::Threads;

/// Stops calling what fails: it opens at a rate of failures, refuses calls for a while, then lets a few probes decide.
///
/// While closed, a call costs a relaxed load and a success at most one write to memory that no other thread writes.
/// A result from an earlier state never changes the state, a dropped probe gives its place back at once, and one
/// that hangs counts as failed after a while.
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
    config: CircuitBreakerConfig,
    /// Where events come from that no call causes.
    site: &'static str,
    /// The generation, and above it what calls may do without the lock.
    hot: AtomicU64,
    /// Until when calls are refused; 0 where that needs the lock.
    until: AtomicU64,
    machine: Mutex<Machine>,
    threads: Threads,
}

const ADMIT: u64 = 1 << 32;
const ABSORB: u64 = 1 << 33;
const COUNT: u64 = 1 << 34;
const FAILURES_HELD: u64 = 1 << 35;

const GENERATION: u64 = u32::MAX as u64;

const fn generation(hot: u64) -> u32 {
    hot as u32
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
        let shortcuts = match config.trip().span {
            Span::Streak => ADMIT | ABSORB,
            Span::Calls(_) => ADMIT,
            Span::Time(_) => ADMIT | COUNT,
        };
        Self {
            config,
            site,
            hot: AtomicU64::new(shortcuts),
            until: AtomicU64::new(0),
            machine: Mutex::new(Machine::new(&config)),
            threads: Threads::new(),
        }
    }

    /// The configuration.
    pub const fn config(&self) -> CircuitBreakerConfig {
        self.config
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.config.name
    }

    /// Admits an attempt, or refuses it at once. Settle the permit with what the attempt did.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`] while open, and while half-open with all probes in flight.
    pub fn try_acquire(&self) -> Result<Permit<'_, Self>, Error> {
        self.admit(Caller::BY_HAND).map(|ticket| Permit::new(self, ticket))
    }

    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller) -> Result<Ticket, Error> {
        let hot = self.hot.load(Acquire);
        if hot & ADMIT != 0 {
            return Ok(Ticket { generation: generation(hot), probe: 0 });
        }
        self.admit_probe(caller)
    }

    #[inline(never)]
    fn admit_probe(&self, caller: Caller) -> Result<Ticket, Error> {
        let until = self.until.load(Relaxed);
        if until != 0 {
            let now = coarse();
            // A time farther off than that comes from a clock that has since stepped back: the machine mends it.
            let remaining = until.saturating_sub(now);
            if until == NEVER {
                return Err(self.refuse(caller, None));
            }
            if remaining > TICK && remaining <= nanos(self.config.open_for) {
                return Err(self.refuse(caller, Some(remaining)));
            }
        }
        let now = precise();
        let (admission, transitions) = self.step(now, |machine| machine.admit(now));
        self.report(caller, transitions);
        match admission {
            Admission::Admitted(ticket) => Ok(ticket),
            Admission::Refused { retry_at } => Err(self.refuse(caller, retry_at.map(|at| at.saturating_sub(now)))),
        }
    }

    fn refuse(&self, caller: Caller, retry_after: Option<Nanos>) -> Error {
        self.threads.rejected();
        let retry_after = retry_after.map(Duration::from_nanos);
        let error = Error::CircuitOpen { policy: caller.policy(self.config.name), site: caller.site, retry_after };
        event::rejected(&error);
        error
    }

    #[inline(always)]
    pub(crate) fn settle(&self, caller: Caller, ticket: Ticket, ending: Ending) {
        let hot = self.hot.load(Acquire);
        if ending == Ending::Success && hot & (ABSORB | GENERATION) == ABSORB | u64::from(ticket.generation) {
            return;
        }
        self.settle_recorded(caller, ticket, ending, hot);
    }

    fn settle_recorded(&self, caller: Caller, ticket: Ticket, ending: Ending, hot: u64) {
        if generation(hot) == ticket.generation {
            match ending {
                Ending::Success if hot & COUNT != 0 => {
                    let first = self.threads.success(ticket.generation, self.bucket(coarse()));
                    if !(first && hot & FAILURES_HELD != 0) {
                        return;
                    }
                    return self.settle_counted(caller, ticket);
                }
                Ending::Ignored | Ending::Cancelled if hot & ADMIT != 0 => return,
                _ => {}
            }
        }
        self.settle_locked(caller, ticket, ending);
    }

    /// For a success that its thread has counted already.
    #[cold]
    fn settle_counted(&self, caller: Caller, ticket: Ticket) {
        let now = precise();
        let transitions = self.step(now, |machine| {
            machine.settle(ticket, Ending::Success, now, &self.threads.successes(ticket.generation)).1
        });
        self.report(caller, transitions);
    }

    #[inline(never)]
    fn settle_locked(&self, caller: Caller, ticket: Ticket, ending: Ending) {
        let now = precise();
        let (taken, transitions) = self.step(now, |machine| {
            let counts = ticket.generation == machine.generation() && matches!(self.config.trip().span, Span::Time(_));
            if counts && ending == Ending::Success {
                self.threads.success(ticket.generation, self.bucket(now));
            }
            machine.settle(ticket, ending, now, &self.threads.successes(ticket.generation))
        });
        self.report(caller, transitions);
        if taken == Taken::Late && !matches!(ending, Ending::Ignored | Ending::Cancelled) {
            event::emit(caller, self.config.name, EventKind::LateResult);
        }
    }

    /// The bucket of a time window.
    #[inline]
    fn bucket(&self, now: Nanos) -> u64 {
        now / self.config.bucket_width()
    }

    /// Lets the machine make one step, and publishes what calls may do without it from then on.
    fn step<R>(&self, now: Nanos, step: impl FnOnce(&mut Machine) -> R) -> R {
        let mut machine = self.lock();
        let result = step(&mut machine);
        let Shortcuts { admit, absorb, count, failures_held } =
            machine.shortcuts(now, &self.threads.successes(machine.generation()));
        let flag = |set: bool, flag: u64| if set { flag } else { 0 };
        let until = match machine.state() {
            CircuitState::ForcedOpen => NEVER,
            _ => machine.until().unwrap_or(0),
        };
        self.until.store(until, Relaxed);
        let flags = flag(admit, ADMIT) | flag(absorb, ABSORB) | flag(count, COUNT) | flag(failures_held, FAILURES_HELD);
        self.hot.store(u64::from(machine.generation()) | flags, Release);
        result
    }

    /// On whose behalf time and hands act.
    fn owner(&self) -> Caller {
        Caller { site: self.site, alias: "" }
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, caller: Caller, transitions: Transitions) {
        for transition in transitions.into_iter().flatten() {
            let kind = match transition {
                Transition::Opened(totals) => EventKind::Opened {
                    failures: totals.failures,
                    calls: totals.calls,
                    open_for: Some(self.config.open_for),
                },
                Transition::Forced(CircuitState::ForcedOpen) => {
                    EventKind::Opened { failures: 0, calls: 0, open_for: None }
                }
                Transition::Forced(CircuitState::Disabled) => EventKind::Disabled,
                Transition::HalfOpened => EventKind::HalfOpened,
                Transition::Closed | Transition::Forced(_) => EventKind::Closed,
            };
            event::emit(caller, self.config.name, kind);
        }
    }

    /// The present state: time acts first, so an open circuit whose time is over is half-open.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        let now = precise();
        let (state, transitions) = self.step(now, |machine| {
            let transitions = machine.advance(now);
            (machine.state(), transitions)
        });
        self.report(self.owner(), transitions);
        state
    }

    /// Refuses every call until [`reset`](Self::reset) or another of these is called.
    pub fn force_open(&self) {
        self.force(CircuitState::ForcedOpen);
    }

    /// Lets every call pass, recorded but never judged, until told otherwise.
    pub fn force_closed(&self) {
        self.force(CircuitState::ForcedClosed);
    }

    /// Lets every call pass and records nothing, until told otherwise.
    pub fn disable(&self) {
        self.force(CircuitState::Disabled);
    }

    /// Closes it, with an empty window; calls still in flight from before no longer count.
    pub fn reset(&self) {
        self.force(CircuitState::Closed);
    }

    fn force(&self, state: CircuitState) {
        let now = precise();
        let transition = self.step(now, |machine| machine.force(state, now));
        self.report(self.owner(), [Some(transition), None, None]);
    }

    /// What it holds now.
    #[must_use]
    pub fn stats(&self) -> CircuitBreakerStats {
        let now = precise();
        let (stats, transitions) = self.step(now, |machine| {
            let transitions = machine.advance(now);
            let totals = machine.totals(now, &self.threads.successes(machine.generation()));
            let stats = CircuitBreakerStats {
                state: machine.state(),
                in_state_for: machine.since().map(|since| Duration::from_nanos(now.saturating_sub(since))),
                retry_after: machine.until().map(|until| Duration::from_nanos(until.saturating_sub(now))),
                failures: totals.failures,
                calls: totals.calls,
                probes_in_flight: machine.probes_in_flight(),
                opened: machine.opened(),
                rejected: self.threads.all_rejected(),
            };
            (stats, transitions)
        });
        self.report(self.owner(), transitions);
        stats
    }
}

/// Without letting time act, which would report what a look should not.
impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock().state();
        f.debug_struct("CircuitBreaker").field("config", &self.config).field("state", &state).finish_non_exhaustive()
    }
}

impl Sealed for CircuitBreaker {}

impl Admit for CircuitBreaker {
    type Ticket = Ticket;

    fn settle(&self, ticket: Ticket, ending: Ending) {
        self.settle(Caller::BY_HAND, ticket, ending);
    }
}

/// A breaker at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitBreakerStats {
    /// Its state.
    pub state: CircuitState,
    /// How long it has been in that state; absent while it has never left its first.
    pub in_state_for: Option<Duration>,
    /// When it will let a probe through, while open.
    pub retry_after: Option<Duration>,
    /// Failures in the window (consecutive ones in the mode that counts these).
    pub failures: u64,
    /// Results in the window (consecutive failures in the mode that counts these).
    pub calls: u64,
    /// Probes that have neither ended nor been dropped.
    pub probes_in_flight: usize,
    /// How often it opened.
    pub opened: u64,
    /// How many calls it refused.
    pub rejected: u64,
}
