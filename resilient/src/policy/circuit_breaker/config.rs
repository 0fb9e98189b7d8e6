use super::window::BUCKETS;
use crate::{
    check,
    error::{ConfigError, demand},
    ratio::Ratio,
    time::{Nanos, nanos},
};
use std::time::Duration;

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
///         .open_for(Duration::from_secs(5))
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
    failures: Option<u32>,
    failure_rate: Option<Ratio>,
    window: Option<Window>,
    min_calls: Option<u32>,
    pub(super) open_for: Duration,
    pub(super) probes: u32,
    pub(super) successes: u32,
    probe_timeout: Option<Duration>,
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

/// What a breaker remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Everything since the last success.
    Streak,
    Calls(u32),
    Time(Duration),
}

/// When a breaker opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trip {
    pub(super) span: Span,
    pub(super) rate: Ratio,
    pub(super) min_calls: u32,
}

impl CircuitBreakerConfig {
    const DEFAULT_WINDOW: Duration = Duration::from_secs(30);
    const DEFAULT_MIN_CALLS: u32 = 20;

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            name: "circuit_breaker",
            failures: None,
            failure_rate: None,
            window: None,
            min_calls: None,
            open_for: Duration::from_secs(30),
            probes: 1,
            successes: 1,
            probe_timeout: None,
        }
    }

    /// Opens after this many failures in a row (1 to 1 000 000), instead of at a rate in a window.
    pub const fn failures(mut self, failures: u32) -> Self {
        self.failures = Some(failures);
        self
    }

    /// Opens when at least this share of the calls in the window failed (more than 0%).
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

    /// How long it refuses calls before it lets probes through (1 ms to a year).
    pub const fn open_for(mut self, time: Duration) -> Self {
        self.open_for = time;
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

    /// The name in errors, events and statistics.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
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
            Some(self.open_for) => check::open_for;
            Some(self.probes) => check::probes;
            Some(self.successes) => check::successes;
            self.probe_timeout => check::probe_timeout;
        }
        if self.failures.is_some() && (self.failure_rate.is_some() || self.window.is_some() || self.min_calls.is_some())
        {
            return Some(ConfigError::new(
                "`failures` counts consecutive failures without a window: \
                 `failure_rate`, `window` and `min_calls` have no meaning beside it",
            ));
        }
        if let (Some(Window::Calls(calls)), Some(min)) = (self.window, self.min_calls) {
            if min > calls {
                return Some(ConfigError::new("`min_calls` is larger than the `window`: the circuit could never open"));
            }
        }
        None
    }

    /// [`check`](Self::check)s in a const context.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn assert(&self) {
        demand(self.check());
    }

    pub(super) const fn trip(&self) -> Trip {
        if let Some(failures) = self.failures {
            return Trip { span: Span::Streak, rate: Ratio::percent(100), min_calls: failures };
        }
        let span = match self.window {
            Some(Window::Calls(calls)) => Span::Calls(calls),
            Some(Window::Time(time)) => Span::Time(time),
            None => Span::Time(Self::DEFAULT_WINDOW),
        };
        let rate = match self.failure_rate {
            Some(rate) => rate,
            None => Ratio::percent(50),
        };
        let min_calls = match (self.min_calls, self.window) {
            (Some(min), _) => min,
            (None, Some(Window::Calls(calls))) if calls < Self::DEFAULT_MIN_CALLS => calls,
            _ => Self::DEFAULT_MIN_CALLS,
        };
        Trip { span, rate, min_calls }
    }

    /// The width of a time window's bucket.
    #[inline]
    pub(super) const fn bucket_width(&self) -> Nanos {
        match self.window {
            Some(Window::Time(time)) => nanos(time) / BUCKETS,
            _ => nanos(Self::DEFAULT_WINDOW) / BUCKETS,
        }
    }

    pub(super) const fn probe_timeout_nanos(&self) -> u64 {
        nanos(match self.probe_timeout {
            Some(time) => time,
            None => self.open_for,
        })
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
        assert_eq!(new().check(), Ok(()));
        for config in [
            new().failures(0),
            new().failures(3).min_calls(2),
            new().failure_rate(Ratio::percent(0)),
            new().window_calls(0),
            new().window_calls(10).min_calls(11),
            new().window_time(Duration::from_millis(99)),
            new().min_calls(0),
            new().open_for(Duration::ZERO),
            new().open_for(Duration::MAX),
            new().probes(0),
            new().successes(0),
            new().probe_timeout(Duration::ZERO),
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }

    #[test]
    fn min_calls_follows_a_small_window() {
        assert_eq!(CircuitBreakerConfig::new().window_calls(5).trip().min_calls, 5);
        assert_eq!(CircuitBreakerConfig::new().window_calls(50).trip().min_calls, 20);
    }
}
