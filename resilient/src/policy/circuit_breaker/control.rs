//! What people and schedules do with a breaker, and what they see of it.

use super::{
    CircuitBreaker, CircuitBreakerConfig, CircuitBreakerStats, CircuitState, Core,
    change::Change,
    health::{self, Ask, Health, Schedule},
    rules::Span,
    threads::Count,
};
use crate::{
    error::ConfigError,
    event::{Caller, EventKind},
    policy::mode::Mode,
    sync::atomic::Ordering::Relaxed,
    time::precise,
};

impl CircuitBreaker {
    /// The present state: time acts first, so an open circuit whose time is over is half-open.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        let now = precise();
        self.step(self.owner(), now, |machine, changes| {
            machine.advance(now, changes);
            machine.state()
        })
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
        self.step(self.owner(), now, |machine, changes| machine.force(state, now, changes));
    }

    /// Acts, only reports, or does nothing, from now on. Switched off or on again it begins closed, with an empty
    /// window, unless its state was set by hand.
    pub fn set_mode(&self, mode: Mode) {
        let now = precise();
        self.step(self.owner(), now, |machine, changes| machine.set_mode(mode, now, changes));
    }

    /// Goes by another configuration from now on, but for its name and health check. It stays in its state, with an empty
    /// window; calls still in flight no longer count.
    ///
    /// # Errors
    /// When a number can not work; then nothing changes.
    pub fn reconfigure(&self, config: CircuitBreakerConfig) -> Result<(), ConfigError> {
        config.check()?;
        let (now, rules) = (precise(), config.rules());
        let (generation, is_open) = self.decide(|core| {
            core.config = config.in_place_of(&core.config);
            core.machine.obey(rules, now);
            self.longest.store(rules.open_for.longest, Relaxed);
            self.width.store(rules.bucket_width(), Relaxed);
            self.slow_after.store(rules.slow_after(), Relaxed);
            (core.machine.generation(), core.machine.until().is_some())
        });
        if is_open {
            self.watch_health(self.owner(), generation);
        }
        Ok(())
    }

    /// What it holds now.
    #[must_use]
    pub fn stats(&self) -> CircuitBreakerStats {
        let now = precise();
        let mut stats = self.step(self.owner(), now, |machine, changes| {
            machine.advance(now, changes);
            let totals = machine.totals(now, &self.threads.successes(machine.generation()));
            let mut stats = CircuitBreakerStats::of(machine, now, totals);
            let is_timed = matches!(machine.rules.span, Span::Time(_));
            stats.total_successes = is_timed.then(|| machine.tally.successes + self.threads.succeeded());
            stats
        });
        stats.in_flight = self.in_flight.get().map(|calls| calls.count());
        stats.rejected = self.threads.counted(Count::Rejected);
        stats.ignored = self.threads.counted(Count::Ignored);
        stats.cancelled = self.threads.counted(Count::Cancelled);
        stats
    }

    /// Asks for the dependency's health while the circuit is open, if it knows how to.
    pub(super) fn watch_health(&self, caller: Caller, generation: u32) {
        let core = self.lock();
        let own = self.identity.check().cloned().map(Ask::Own);
        let Some(ask) = own.or(core.config.health_check.map(Ask::Plain)) else { return };
        let rules = core.machine.rules;
        let every = health::every(core.config.health_every);
        drop(core);
        let schedule = Schedule {
            every,
            longest: rules.open_for.longest,
            timeout: rules.probe_timeout,
            successes: rules.successes,
        };
        // Before it starts, so that the news of its end, or that there is no runtime, finds the circuit watched.
        if !self.decide(|core| core.machine.watched(generation)) {
            return;
        }
        let health = self.health.get_or_init(|| Box::new(Health::default()));
        if !health.start(ask, schedule, generation) {
            // Hears of its end.
            self.step(caller, precise(), |_, _| ());
        } else if self.decide(|core| core.machine.generation() != generation) {
            health.stop(generation);
        }
    }

    /// Who decides from now on when it closes.
    fn decide<R>(&self, decide: impl FnOnce(&mut Core) -> R) -> R {
        let now = precise();
        let mut core = self.lock();
        let decided = decide(&mut core);
        self.publish(&core.machine, now);
        decided
    }
}

/// What is told about a change.
pub(super) fn event(change: &Change) -> EventKind {
    let (totals, cause) = (change.totals, change.cause);
    match change.to {
        CircuitState::Open | CircuitState::ForcedOpen => {
            EventKind::Opened { failures: totals.failures, calls: totals.calls, open_for: change.open_for(), cause }
        }
        CircuitState::HalfOpen => EventKind::HalfOpened,
        CircuitState::Disabled => EventKind::Disabled,
        CircuitState::Closed | CircuitState::ForcedClosed => EventKind::Closed { cause },
    }
}
