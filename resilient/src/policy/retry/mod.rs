//! Runs again what failed.

mod backoff;

pub use backoff::{Backoff, Jitter};

use crate::{
    check,
    error::{ConfigError, demand},
    time::{Nanos, nanos},
};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How often a [`Retry`] runs again what failed, and when.
///
/// ```
/// use resilient::{Backoff, Jitter, Retry, RetryConfig};
/// use std::time::Duration;
///
/// static PATIENT: Retry = Retry::new(
///     RetryConfig::new()
///         .attempts(5)
///         .backoff(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)))
///         .jitter(Jitter::Equal)
///         .name("patient"),
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct RetryConfig {
    name: &'static str,
    attempts: u32,
    backoff: Backoff,
    jitter: Jitter,
    max_duration: Option<Duration>,
}

impl RetryConfig {
    /// 3 attempts, pauses of 50 ms growing to 20 s, full jitter.
    pub const fn new() -> Self {
        Self {
            name: "retry",
            attempts: 3,
            backoff: Backoff::exponential(Duration::from_millis(50), Duration::from_secs(20)),
            jitter: Jitter::Full,
            max_duration: None,
        }
    }

    /// How often it runs in all, the first time included (at least 2).
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The pauses between attempts.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The chance in the pauses.
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// No attempt starts later than this after the first (1 ms to a year).
    pub const fn max_duration(mut self, time: Duration) -> Self {
        self.max_duration = Some(time);
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
        if let Err(error) = check::attempts(self.attempts) {
            return Err(error);
        }
        if let Err(error) = self.backoff.check() {
            return Err(error);
        }
        if let Err(error) = self.jitter.check() {
            return Err(error);
        }
        if matches!(self.jitter, Jitter::Decorrelated) && self.backoff.is_constant() {
            return Err(ConfigError::new(
                "decorrelated jitter grows from pause to pause: give the `backoff` a range, or write `full`",
            ));
        }
        match self.max_duration {
            Some(time) => check::max_duration(time),
            None => Ok(()),
        }
    }

    /// [`check`](Self::check)s in a const context.
    ///
    /// # Panics
    /// When a number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn assert(&self) {
        demand(self.check());
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs again what failed, after a pause, a bounded number of times.
///
/// It never pauses after the last attempt, and never so long that a timeout around it would end the pause: it then
/// gives up at once. The last real error is returned.
///
/// ```
/// # use resilient::{Retry, RetryConfig};
/// static RETRY: Retry = Retry::new(RetryConfig::new());
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut runs = 0;
/// let answer = RETRY.call(|| {
///     runs += 1;
///     let run = runs;
///     async move { if run < 2 { Err("not yet") } else { Ok(run) } }
/// });
/// assert_eq!(answer.await, Ok(2));
/// # }
/// ```
pub struct Retry {
    config: RetryConfig,
    retries: AtomicU64,
    exhausted: AtomicU64,
}

impl Retry {
    /// A retry.
    ///
    /// # Panics
    /// When a number of the configuration can not work; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(config: RetryConfig) -> Self {
        config.assert();
        Self { config, retries: AtomicU64::new(0), exhausted: AtomicU64::new(0) }
    }

    /// The configuration.
    pub const fn config(&self) -> RetryConfig {
        self.config
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.config.name
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.config.attempts
    }

    pub(crate) fn max_duration(&self) -> Option<Nanos> {
        self.config.max_duration.map(nanos)
    }

    /// The pause after failed attempt number `attempt` (from 1), where the pause before was `previous`.
    pub(crate) fn pause(&self, attempt: u32, previous: Nanos) -> Nanos {
        let RetryConfig { backoff, jitter, .. } = &self.config;
        backoff::pause(backoff, *jitter, attempt, previous, |low, high| fastrand::u64(low..=high))
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(crate) fn gave_up(&self) {
        self.exhausted.fetch_add(1, Relaxed);
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> RetryStats {
        RetryStats { retries: self.retries.load(Relaxed), exhausted: self.exhausted.load(Relaxed) }
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("config", &self.config).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// What a retry did since the process started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryStats {
    /// Attempts beyond each call's first.
    pub retries: u64,
    /// Calls that failed although they would have been retried: attempts, time or the deadline were used up.
    pub exhausted: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused() {
        let new = RetryConfig::new;
        let none = Backoff::constant(Duration::ZERO);
        assert_eq!(new().check(), Ok(()));
        assert_eq!(new().backoff(none).check(), Ok(()));
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(1));
        for config in [
            new().attempts(1),
            new().backoff(Backoff::exponential(long, short)),
            new().backoff(Backoff::exponential(Duration::ZERO, long)),
            new().backoff(none.factor(2.0)),
            new().backoff(Backoff::exponential(short, long).factor(1.0)),
            new().backoff(Backoff::exponential(short, long).factor(f64::NAN)),
            new().backoff(Backoff::constant(Duration::MAX)),
            new().jitter(Jitter::Proportional(crate::Ratio::percent(0))),
            new().max_duration(Duration::ZERO),
            new().backoff(Backoff::constant(long)).jitter(Jitter::Decorrelated),
        ] {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
