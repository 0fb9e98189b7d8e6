use super::{health::HealthCheck, rules::Rules};
use crate::{
    check,
    error::{ConfigError, demand},
    policy::mode::Mode,
    ratio::Ratio,
};
use std::{ops::RangeInclusive, time::Duration};

/// When a [`CircuitBreaker`](super::CircuitBreaker) opens, for how long, and what closes it again.
///
/// Without any setter: at 50% failures of at least 20 calls in a sliding window of 30 seconds it opens for
/// 30 seconds; then one probe at a time, and one success closes it.
///
/// ```
/// use resilient::{CircuitBreaker, CircuitBreakerConfig, Ratio};
/// use std::time::Duration;
///
/// static PAYMENTS: CircuitBreaker = CircuitBreaker::new(
///     CircuitBreakerConfig::new()
///         .failure_rate(Ratio::percent(40))
///         .window_time(Duration::from_secs(10))
///         .slow_call(Duration::from_secs(2))
///         .slow_rate(Ratio::percent(80))
///         .open_for_range(Duration::from_secs(5)..=Duration::from_secs(300))
///         .name("payments"),
/// );
/// ```
/// A number that can not work is a compile error in a `const` or a `static`:
/// ```compile_fail
/// # use resilient::{CircuitBreaker, CircuitBreakerConfig};
/// static NEVER: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new().failures(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct CircuitBreakerConfig {
    pub(super) name: &'static str,
    pub(super) failures: Option<u32>,
    pub(super) failure_rate: Option<Ratio>,
    pub(super) window: Option<Window>,
    pub(super) min_calls: Option<u32>,
    pub(super) slow_call: Option<Duration>,
    pub(super) slow_rate: Option<Ratio>,
    pub(super) open_for: Duration,
    pub(super) open_for_at_most: Option<Duration>,
    pub(super) open_jitter: Ratio,
    pub(super) probes: u32,
    pub(super) successes: u32,
    pub(super) probe_timeout: Option<Duration>,
    pub(super) ramp: bool,
    pub(super) adaptive: bool,
    /// In thousandths.
    pub(super) shed: Option<u32>,
    pub(super) health_check: Option<HealthCheck>,
    pub(super) health_every: Option<Duration>,
    pub(super) mode: Mode,
}

/// The extent of a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The last so many results, exactly.
    Calls(u32),
    /// The results of the last so long, in thirty buckets: nothing older counts, and at least the newest nine tenths do.
    Time(Duration),
}

impl Window {
    /// Checks the number.
    ///
    /// # Errors
    /// When it can not work.
    pub const fn check(self) -> Result<(), ConfigError> {
        match self {
            Self::Calls(calls) => check::window_calls(calls),
            Self::Time(time) => check::window_time(time),
        }
    }
}

impl CircuitBreakerConfig {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            name: "circuit_breaker",
            failures: None,
            failure_rate: None,
            window: None,
            min_calls: None,
            slow_call: None,
            slow_rate: None,
            open_for: Duration::from_secs(30),
            open_for_at_most: None,
            open_jitter: Ratio::percent(10),
            probes: 1,
            successes: 1,
            probe_timeout: None,
            ramp: false,
            adaptive: false,
            shed: None,
            health_check: None,
            health_every: None,
            mode: Mode::On,
        }
    }

    /// Opens after this many failures in a row (1 to 1 000 000), instead of at a rate in a window.
    pub const fn failures(mut self, failures: u32) -> Self {
        self.failures = Some(failures);
        self
    }

    /// Opens when at least this share of the calls in the window failed (more than 0%; default 50%).
    pub const fn failure_rate(mut self, rate: Ratio) -> Self {
        self.failure_rate = Some(rate);
        self
    }

    /// The extent of the window, of either kind.
    pub const fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// The window holds the last `calls` results (1 to 1 000 000), exactly.
    pub const fn window_calls(self, calls: u32) -> Self {
        self.window(Window::Calls(calls))
    }

    /// The window holds the results of the last `time` (100 ms to a year), in thirty buckets: nothing older counts, and
    /// at least the newest nine tenths do.
    pub const fn window_time(self, time: Duration) -> Self {
        self.window(Window::Time(time))
    }

    /// Nothing is decided on fewer results than this (default 20, or the window where that is smaller).
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = Some(calls);
        self
    }

    /// A call that takes longer than this (1 ms to a year) is slow, whatever its result. One that is still in flight
    /// when that time passes counts then, once, and as a failure too if it fails later.
    pub const fn slow_call(mut self, time: Duration) -> Self {
        self.slow_call = Some(time);
        self
    }

    /// Opens when at least this share of the calls in the window was slow (more than 0%; default 100%).
    pub const fn slow_rate(mut self, rate: Ratio) -> Self {
        self.slow_rate = Some(rate);
        self
    }

    /// How long it refuses calls before it lets probes through (1 ms to a year).
    pub const fn open_for(mut self, time: Duration) -> Self {
        self.open_for = time;
        self.open_for_at_most = None;
        self
    }

    /// How long it refuses calls: the first time, and at most. The time doubles whenever a probe fails, and begins
    /// anew once the circuit has closed. See [`open_jitter`](Self::open_jitter).
    pub const fn open_for_range(mut self, times: RangeInclusive<Duration>) -> Self {
        self.open_for = *times.start();
        self.open_for_at_most = Some(*times.end());
        self
    }

    /// By how much a time that has grown is shortened at most, at random, so that many breakers do not probe at the
    /// same instant (default 10%). It is never shorter than the first time.
    pub const fn open_jitter(mut self, share: Ratio) -> Self {
        self.open_jitter = share;
        self
    }

    /// How many probes may be in flight at once while half-open (1 to 1000).
    pub const fn probes(mut self, probes: u32) -> Self {
        self.probes = probes;
        self
    }

    /// How many probes must succeed before it closes (at least 1); any failed one re-opens it.
    pub const fn successes(mut self, successes: u32) -> Self {
        self.successes = successes;
        self
    }

    /// A probe that has neither ended nor been dropped after this time (1 ms to a year) counts as failed
    /// (default: `open_for`).
    pub const fn probe_timeout(mut self, time: Duration) -> Self {
        self.probe_timeout = Some(time);
        self
    }

    /// Recovers by degrees: one probe first, then `probes` at once, and when enough have succeeded a share of the calls,
    /// which grows from 10% to all of them in the time of `open_for`. Their results are judged as in a closed circuit.
    pub const fn ramp(mut self) -> Self {
        self.ramp = true;
        self
    }

    /// Opens at a failure rate that is significantly above the usual one, which it learns: see
    /// [`CircuitBreakerStats::baseline`](super::CircuitBreakerStats::baseline). The `failure_rate` remains the limit that
    /// always opens it.
    ///
    /// After each full window in the closed state the baseline moves by a sixteenth (by more at first) towards that
    /// window's failure rate, and never above half of `failure_rate`. With the baseline `b`, the variance `v` of those
    /// rates and `n` calls in the window the circuit opens at a rate of `b + 5 * sqrt(b * (1 - b) / n + v) + 5 / n`: five
    /// standard deviations, and five failures, more than usual.
    pub const fn adaptive(mut self) -> Self {
        self.adaptive = true;
        self
    }

    /// Refuses calls before it has to open, in proportion: with `requests` in the window (refused ones too) and
    /// `accepts` of them successful, a call is refused with probability `(requests - k * accepts) / (requests + 1)`,
    /// at most 90%, and not while there are fewer than `min_calls` requests. `k` lies between 1.001 and 100: 2 lets twice
    /// as many calls through as succeed. The circuit then opens only where `failure_rate`, `adaptive` or `slow_call` say
    /// so.
    ///
    /// This is the client-side throttling of Google's SRE book (chapter 21, "Handling Overload").
    pub const fn shed(mut self, k: f64) -> Self {
        #[expect(clippy::cast_sign_loss, reason = "a negative number becomes 0, which the check refuses")]
        let thousandths = (k * 1000.0 + 0.5) as u32;
        self.shed = Some(thousandths);
        self
    }

    /// While open, asks this instead of letting probes through; `successes` good answers in a row close the circuit.
    ///
    /// It is first asked [`health_every`](Self::health_every) after the circuit opened. An answer that takes longer than
    /// [`probe_timeout`](Self::probe_timeout), or panics, is a bad one. The circuit closes at the next call, or when
    /// somebody looks at it.
    ///
    /// It runs on the tokio runtime of the thread that opens the circuit, or else of the next one that has one and is
    /// refused. Without any, or once that runtime has shut down or has not run it for five seconds although it should
    /// have, time and probes decide as they do without a check.
    pub const fn health_check(mut self, check: HealthCheck) -> Self {
        self.health_check = Some(check);
        self
    }

    /// How often to ask, and how long after the circuit opened first (1 ms to a year; default 5 s). After each bad answer the pause doubles, up to the longest `open_for`.
    pub const fn health_every(mut self, time: Duration) -> Self {
        self.health_every = Some(time);
        self
    }

    /// Whether it acts, only reports, or does nothing.
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The name in errors, events and statistics.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// What a breaker goes by from now on that went by `old`.
    pub(super) const fn in_place_of(self, old: &Self) -> Self {
        Self { name: old.name, health_check: old.health_check, ..self }
    }

    pub(crate) const fn own_name(&self) -> &'static str {
        self.name
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number that can not work.
    pub const fn check(&self) -> Result<(), ConfigError> {
        match self.first_mistake() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    const fn first_mistake(&self) -> Option<ConfigError> {
        macro_rules! ask {
            ($($value:expr => $rule:path;)*) => {$(
                if let Some(value) = $value {
                    if let Err(error) = $rule(value) {
                        return Some(error);
                    }
                }
            )*};
        }
        ask! {
            self.failures => check::failures;
            self.failure_rate => check::failure_rate;
            self.window => Window::check;
            self.min_calls => check::min_calls;
            self.slow_call => check::slow_call;
            self.slow_rate => check::slow_rate;
            Some(self.open_for) => check::open_for;
            self.open_for_at_most => check::open_for;
            Some(self.probes) => check::probes;
            Some(self.successes) => check::successes;
            self.probe_timeout => check::probe_timeout;
            self.shed_factor() => check::shed;
            self.health_every => check::health_every;
        }
        self.first_contradiction()
    }

    const fn shed_factor(&self) -> Option<f64> {
        match self.shed {
            Some(thousandths) => Some(thousandths as f64 / 1000.0),
            None => None,
        }
    }

    const fn first_contradiction(&self) -> Option<ConfigError> {
        let message = if self.failures.is_some()
            && (self.failure_rate.is_some() || self.window.is_some() || self.min_calls.is_some())
        {
            "`failures` counts consecutive failures without a window: \
             `failure_rate`, `window` and `min_calls` have no meaning beside it"
        } else if self.failures.is_some() && (self.slow_call.is_some() || self.adaptive || self.shed.is_some()) {
            "`slow_call`, `adaptive` and `shed` look at a window, and `failures` counts consecutive failures without one"
        } else if self.slow_rate.is_some() && self.slow_call.is_none() {
            "`slow_rate` needs `slow_call`, the time above which a call is slow"
        } else if matches!(self.open_for_at_most, Some(most) if most.as_nanos() <= self.open_for.as_nanos()) {
            "a range for `open_for` ends above its start"
        } else if self.shed.is_some() && matches!(self.window, Some(Window::Calls(_))) {
            "`shed` needs a `window` of time: what it refuses is no result"
        } else if matches!((self.window, self.min_calls), (Some(Window::Calls(calls)), Some(min)) if min > calls) {
            "`min_calls` is larger than the `window`: the circuit could never open"
        } else {
            return None;
        };
        Some(ConfigError::new(message))
    }

    /// The same configuration, [`check`](Self::check)ed: for a `const` or a `static`.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn checked(self) -> Self {
        demand(self.check());
        self
    }

    /// [`check`](Self::check)s in a const context.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn assert(&self) {
        demand(self.check());
    }

    pub(super) const fn rules(&self) -> Rules {
        Rules::new(self)
    }
}

impl Default for CircuitBreakerConfig {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused() {
        let new = CircuitBreakerConfig::new;
        let second = Duration::from_secs(1);
        assert_eq!(new().check(), Ok(()));
        for config in [
            new().failures(0),
            new().failures(3).min_calls(2),
            new().failures(3).slow_call(second),
            new().failures(3).adaptive(),
            new().failures(3).shed(2.0),
            new().failure_rate(Ratio::percent(0)),
            new().window_calls(0),
            new().window_calls(10).min_calls(11),
            new().window_calls(10).shed(2.0),
            new().window_time(Duration::from_millis(99)),
            new().min_calls(0),
            new().slow_call(Duration::ZERO),
            new().slow_call(second).slow_rate(Ratio::percent(0)),
            new().slow_rate(Ratio::percent(50)),
            new().open_for(Duration::ZERO),
            new().open_for(Duration::MAX),
            new().open_for_range(second..=second),
            new().open_for_range(second..=Duration::MAX),
            new().probes(0),
            new().successes(0),
            new().probe_timeout(Duration::ZERO),
            new().shed(1.0),
            new().shed(-1.0),
            new().shed(f64::NAN),
            new().shed(101.0),
            new().health_every(Duration::ZERO),
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
