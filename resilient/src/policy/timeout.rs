//! Ends what takes too long.

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

/// How long a [`Timeout`] lets a call take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct TimeoutConfig {
    name: &'static str,
    after: Duration,
}

impl TimeoutConfig {
    /// This long (above 0, up to a year).
    pub const fn new(after: Duration) -> Self {
        Self { name: "timeout", after }
    }

    /// The name in errors, events and statistics.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Checks the number.
    ///
    /// # Errors
    /// When it can not work.
    pub const fn check(&self) -> Result<(), ConfigError> {
        check::timeout(self.after)
    }

    /// [`check`](Self::check)s in a const context.
    ///
    /// # Panics
    /// When the number can not work; in a `const` this is a compile error.
    #[track_caller]
    pub const fn assert(&self) {
        demand(self.check());
    }
}

/// Ends what takes too long, by dropping it.
///
/// The time counts from the first moment at which the call waits for something: a call that is ready at once costs
/// neither a clock reading nor a timer. A body that blocks its thread instead of awaiting can not be ended.
///
/// ```
/// # use resilient::{Error, Timeout, TimeoutConfig};
/// # use std::time::Duration;
/// static BRIEF: Timeout = Timeout::new(TimeoutConfig::new(Duration::from_millis(5)));
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let slow = async { std::future::pending::<Result<(), Error>>().await };
/// assert!(BRIEF.call(slow).await.unwrap_err().is_timeout());
/// # }
/// ```
pub struct Timeout {
    config: TimeoutConfig,
    timed_out: AtomicU64,
}

impl Timeout {
    /// For health checks and authentication: 5 s.
    pub const FAST: Duration = Duration::from_secs(5);
    /// For ordinary calls: 30 s.
    pub const NORMAL: Duration = Duration::from_secs(30);
    /// For uploads and reports: 120 s.
    pub const SLOW: Duration = Duration::from_secs(120);

    /// A timeout.
    ///
    /// # Panics
    /// When the number of the configuration can not work; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(config: TimeoutConfig) -> Self {
        config.assert();
        Self { config, timed_out: AtomicU64::new(0) }
    }

    /// The configuration.
    pub const fn config(&self) -> TimeoutConfig {
        self.config
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.config.name
    }

    /// How long a call may take.
    #[must_use]
    pub const fn after(&self) -> Duration {
        self.config.after
    }

    pub(crate) const fn nanos(&self) -> Nanos {
        nanos(self.config.after)
    }

    pub(crate) fn timed_out(&self) {
        self.timed_out.fetch_add(1, Relaxed);
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> TimeoutStats {
        TimeoutStats { timed_out: self.timed_out.load(Relaxed) }
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("config", &self.config).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// What a timeout did since the process started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeoutStats {
    /// Calls that it ended.
    pub timed_out: u64,
}
