//! What a caller gets when a policy, not the function, ended the call.

use crate::brief::{Brief, Count};
use std::{fmt, time::Duration};

/// A call that a policy refused or cut short.
///
/// It becomes the function's own error through `E: From<resilient::Error>`, or through
/// `#[resilient(rejected = path)]`. Creating one allocates nothing.
///
/// ```
/// # use resilient::Error;
/// # use std::time::Duration;
/// fn advise(error: &Error) -> Option<Duration> {
///     if error.is_rejection() { error.retry_after() } else { None }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A circuit breaker is open, or half-open with all its probes in flight.
    #[error("{}{}", Origin(policy, site), Reason(self))]
    #[non_exhaustive]
    CircuitOpen {
        /// The policy's name.
        policy: &'static str,
        /// The annotated function, or `""` for a policy used by hand.
        site: &'static str,
        /// When the breaker will next let a probe through, at the latest; absent where no time decides: it was opened by
        /// hand, a health check decides, or a share of the calls is refused.
        retry_after: Option<Duration>,
    },
    /// A rate limiter had no token, and waiting for one was not asked for or would have taken too long.
    #[error("{}{}", Origin(policy, site), Reason(self))]
    #[non_exhaustive]
    RateLimited {
        /// The policy's name.
        policy: &'static str,
        /// The annotated function, or `""` for a policy used by hand.
        site: &'static str,
        /// When the same request would be admitted, if no other takes its tokens first.
        retry_after: Duration,
        /// The most that can be had at once.
        limit: u32,
        /// What could be had, and was less than the call asked for.
        remaining: u32,
    },
    /// The call costs more than the limiter's burst: it can never be admitted.
    #[error("{}{}", Origin(policy, site), Reason(self))]
    #[non_exhaustive]
    CostExceedsBurst {
        /// The policy's name.
        policy: &'static str,
        /// The annotated function, or `""` for a policy used by hand.
        site: &'static str,
        /// What the call asked for.
        cost: u32,
        /// The most that the limiter ever holds.
        burst: u32,
    },
    /// All places of a bulkhead are taken, and so is its queue, or the wait was too long.
    #[error("{}{}", Origin(policy, site), Reason(self))]
    #[non_exhaustive]
    BulkheadFull {
        /// The policy's name.
        policy: &'static str,
        /// The annotated function, or `""` for a policy used by hand.
        site: &'static str,
        /// The bulkhead's limit.
        max: u32,
    },
    /// The call asked for more places than the bulkhead ever has: it can never be admitted.
    #[error("{}{}", Origin(policy, site), Reason(self))]
    #[non_exhaustive]
    TooManyPlaces {
        /// The policy's name.
        policy: &'static str,
        /// The annotated function, or `""` for a policy used by hand.
        site: &'static str,
        /// What the call asked for.
        places: u32,
        /// The bulkhead's limit.
        max: u32,
    },
    /// The function ran longer than its timeout and was dropped.
    #[error("{}{}", Origin(policy, site), Reason(self))]
    #[non_exhaustive]
    TimedOut {
        /// The policy's name.
        policy: &'static str,
        /// The annotated function, or `""` for a policy used by hand.
        site: &'static str,
        /// The timeout that expired.
        after: Duration,
    },
    /// The time was over before the function ran: it spent all of it waiting for its turn.
    #[error("{}{}", Origin(policy, site), Reason(self))]
    #[non_exhaustive]
    DeadlineExceeded {
        /// The policy's name.
        policy: &'static str,
        /// The annotated function, or `""` for a policy used by hand.
        site: &'static str,
    },
}

impl Error {
    /// The name of the policy that ended the call.
    #[must_use]
    pub fn policy(&self) -> &'static str {
        match self {
            Self::CircuitOpen { policy, .. }
            | Self::RateLimited { policy, .. }
            | Self::CostExceedsBurst { policy, .. }
            | Self::BulkheadFull { policy, .. }
            | Self::TooManyPlaces { policy, .. }
            | Self::TimedOut { policy, .. }
            | Self::DeadlineExceeded { policy, .. } => policy,
        }
    }

    /// The annotated function (`module::path::fn`), or `""` for a policy used by hand.
    #[must_use]
    pub fn site(&self) -> &'static str {
        match self {
            Self::CircuitOpen { site, .. }
            | Self::RateLimited { site, .. }
            | Self::CostExceedsBurst { site, .. }
            | Self::BulkheadFull { site, .. }
            | Self::TooManyPlaces { site, .. }
            | Self::TimedOut { site, .. }
            | Self::DeadlineExceeded { site, .. } => site,
        }
    }

    /// How long to wait before the same call may succeed; absent where nobody can know.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen { retry_after, .. } => *retry_after,
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether a policy refused to run the function: everything but [`TimedOut`](Self::TimedOut).
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        !self.is_timeout()
    }

    /// Whether the function was running when its time was over.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }

    /// Whether an open circuit refused the call.
    #[must_use]
    pub fn is_circuit_open(&self) -> bool {
        matches!(self, Self::CircuitOpen { .. })
    }

    /// Whether a rate limiter refused the call.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::CostExceedsBurst { .. })
    }

    /// Whether a bulkhead refused the call.
    #[must_use]
    pub fn is_bulkhead_full(&self) -> bool {
        matches!(self, Self::BulkheadFull { .. } | Self::TooManyPlaces { .. })
    }
}

/// `timeout of shop::price: `.
struct Origin<'a>(&'a str, &'a str);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(policy, site) = self;
        if site.is_empty() { write!(f, "{policy}: ") } else { write!(f, "{policy} of {site}: ") }
    }
}

/// What happened, where it is known to whom.
pub(crate) struct Reason<'a>(pub(crate) &'a Error);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Error::CircuitOpen { .. } => f.write_str("the circuit is open")?,
            Error::RateLimited { .. } => f.write_str("rate limit reached")?,
            Error::CostExceedsBurst { cost, burst, .. } => {
                write!(f, "a cost of {cost} can never be admitted by a burst of {burst}")?;
            }
            Error::BulkheadFull { max, .. } => write!(f, "all of {} taken", Count((*max).into(), "place"))?,
            Error::TooManyPlaces { places, max, .. } => {
                write!(f, "{places} places can never be taken of {max}")?;
            }
            Error::TimedOut { after, .. } => write!(f, "timed out after {}", Brief(*after))?,
            Error::DeadlineExceeded { .. } => f.write_str("the deadline passed before the call could start")?,
        }
        match self.0.retry_after() {
            Some(after) => write!(f, "; retry after {}", Brief(after)),
            None => Ok(()),
        }
    }
}

impl From<Error> for std::io::Error {
    /// Time-outs become [`TimedOut`](std::io::ErrorKind::TimedOut), rejections
    /// [`ResourceBusy`](std::io::ErrorKind::ResourceBusy); the error itself is the source.
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::TimedOut { .. } | Error::DeadlineExceeded { .. } => std::io::ErrorKind::TimedOut,
            _ => std::io::ErrorKind::ResourceBusy,
        };
        Self::new(kind, error)
    }
}

/// A number in a policy's configuration that can not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(&'static str);

impl ConfigError {
    pub(crate) const fn new(message: &'static str) -> Self {
        Self(message)
    }

    /// What is wrong, and what is allowed.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.0
    }
}

/// Ends a const evaluation, or a thread, with the message of a failed check.
#[track_caller]
pub(crate) const fn demand(checked: Result<(), ConfigError>) {
    if let Err(error) = checked {
        panic!("{}", error.message());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_policy_site_and_delay() {
        let error = Error::CircuitOpen {
            policy: "circuit_breaker",
            site: "shop::price",
            retry_after: Some(Duration::from_secs(3)),
        };
        assert_eq!(error.to_string(), "circuit_breaker of shop::price: the circuit is open; retry after 3s");
        assert!(error.is_rejection() && error.is_circuit_open());
        let error = Error::TimedOut { policy: "timeout", site: "", after: Duration::from_secs(2) };
        assert_eq!(error.to_string(), "timeout: timed out after 2s");
        assert!(!error.is_rejection());
    }

    #[test]
    fn io_errors_keep_the_source() {
        let error = std::io::Error::from(Error::BulkheadFull { policy: "bulkhead", site: "", max: 3 });
        assert_eq!(error.kind(), std::io::ErrorKind::ResourceBusy);
        assert!(error.get_ref().unwrap().downcast_ref::<Error>().unwrap().is_bulkhead_full());
    }
}
