use super::{history::Entry, machine::Machine, state::CircuitState};
use crate::{
    cause::Cause,
    policy::mode::Mode,
    ratio::Ratio,
    time::{NEVER, Nanos},
};
use std::time::Duration;

/// A breaker at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitBreakerStats {
    /// Its state.
    pub state: CircuitState,
    /// How long it has been in that state; absent while it has never left its first.
    pub in_state_for: Option<Duration>,
    /// When it will let a probe through, while open and unless a health check decides.
    pub retry_after: Option<Duration>,
    /// Whether it acts.
    pub mode: Mode,
    /// Results in the window (consecutive failures in the mode that counts these).
    pub calls: u64,
    /// Failures in the window (consecutive ones in the mode that counts these).
    pub failures: u64,
    /// Slow calls in the window, those in flight included.
    pub slow: u64,
    /// The share of the window's calls that failed; absent below `min_calls`, and in the mode that counts consecutive
    /// failures.
    pub failure_rate: Option<Ratio>,
    /// The share of the window's calls that were slow; absent below `min_calls`, and without `slow_call`.
    pub slow_rate: Option<Ratio>,
    /// What share of the calls usually fails, where it learns that and has seen a whole window.
    pub baseline: Option<Ratio>,
    /// The share of the calls that pass, during a ramp.
    pub share: Option<Ratio>,
    /// Calls that have neither ended nor been dropped; known only where `slow_call` has their time watched, for elsewhere
    /// calls that are admitted leave no trace.
    pub in_flight: Option<u64>,
    /// Probes that have neither ended nor been dropped.
    pub probes_in_flight: usize,
    /// How often it opened.
    pub opened: u64,
    /// The last change of state.
    pub last_change: Option<LastChange>,
    /// The last sixteen, the oldest first.
    pub changes: Vec<LastChange>,
    /// How long it has been in each state.
    pub time_in: TimeInStates,
    /// How many calls it refused.
    pub rejected: u64,
    /// How many of these to take load off the dependency, with `shed`.
    pub shed: u64,
    /// How many calls succeeded since it was made. Absent unless its window is one of time: elsewhere a success leaves no
    /// trace, once it changes nothing.
    pub total_successes: Option<u64>,
    /// How many calls failed since it was made.
    pub total_failures: u64,
    /// How many of these panicked.
    pub total_panics: u64,
    /// How many calls were slow since it was made.
    pub total_slow: u64,
    /// How many results its classifier ignored, or were another policy's refusal.
    pub ignored: u64,
    /// How many calls were dropped before their end.
    pub cancelled: u64,
    /// How many results came from an earlier state, and did not count.
    pub late: u64,
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastChange {
    /// The state before.
    pub from: CircuitState,
    /// The state since.
    pub to: CircuitState,
    /// Why.
    pub cause: Cause,
    /// How long ago.
    pub ago: Duration,
}

/// How long a breaker has been in each state, since its first failure or since it was first looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeInStates {
    /// Closed.
    pub closed: Duration,
    /// Open.
    pub open: Duration,
    /// Half-open, ramps included.
    pub half_open: Duration,
    /// Forced open.
    pub forced_open: Duration,
    /// Forced closed.
    pub forced_closed: Duration,
    /// Disabled.
    pub disabled: Duration,
}

fn share(part: u64, whole: u64) -> Option<Ratio> {
    (whole > 0).then(|| Ratio::new(part as f64 / whole as f64).ok()).flatten()
}

impl CircuitBreakerStats {
    pub(super) fn of(machine: &Machine, now: Nanos, totals: super::window::Totals) -> Self {
        let after = |at: Nanos| Duration::from_nanos(at.saturating_sub(now));
        let ago = |at: Nanos| Duration::from_nanos(now.saturating_sub(at));
        let made = |&Entry { from, to, cause, at }: &Entry| LastChange { from, to, cause, ago: ago(at) };
        let known = totals.calls >= machine.rules.min_calls.into();
        let is_streak = matches!(machine.rules.span, super::rules::Span::Streak);
        let rate = |part, has: bool| if known && has { share(part, totals.calls) } else { None };
        let [closed, open, half_open, forced_open, forced_closed, disabled] =
            machine.time_in(now).map(Duration::from_nanos);
        Self {
            state: machine.state(),
            in_state_for: machine.since().map(ago),
            retry_after: machine.until().filter(|until| *until != NEVER).map(after),
            mode: machine.rules.mode,
            calls: totals.calls,
            failures: totals.failures,
            slow: totals.slow,
            failure_rate: rate(totals.failures, !is_streak),
            slow_rate: rate(totals.slow, machine.rules.slow.is_some()),
            baseline: machine.baseline(),
            share: machine.share(now).and_then(|millionths| share(millionths, 1_000_000)),
            in_flight: None,
            probes_in_flight: machine.probes_in_flight(),
            opened: machine.tally.opened,
            last_change: machine.history.last().map(made),
            changes: machine.history.iter().map(made).collect(),
            time_in: TimeInStates { closed, open, half_open, forced_open, forced_closed, disabled },
            rejected: 0,
            shed: machine.tally.shed,
            total_successes: None,
            total_failures: machine.tally.failures,
            total_panics: machine.tally.panics,
            total_slow: machine.tally.slow,
            ignored: 0,
            cancelled: 0,
            late: machine.tally.late,
        }
    }
}
