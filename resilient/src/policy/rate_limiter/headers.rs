//! What a server tells its clients about a limit.

use super::RateLimiter;
use crate::{error::Error, time::nanos};
use std::time::Duration;

/// How a client stands with a limit, for the headers of a response.
///
/// ```
/// # use resilient::{Rate, RateLimiter, RateLimiterConfig};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_minute(60)));
/// limiter.try_acquire_many(50).unwrap().success();
/// let headers: Vec<_> = limiter.standing().headers().collect();
/// assert_eq!(headers, [
///     ("RateLimit-Limit", "60".to_owned()),
///     ("RateLimit-Remaining", "10".to_owned()),
///     ("RateLimit-Reset", "50".to_owned()),
/// ]);
/// let error = limiter.try_acquire_many(11).unwrap_err();
/// let headers: Vec<_> = limiter.standing().refused(&error).headers().collect();
/// assert_eq!(headers[3], ("Retry-After", "1".to_owned()));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The most that can be had at once.
    pub limit: u32,
    /// What can be had now.
    pub remaining: u32,
    /// When all of it can be had again.
    pub reset_after: Duration,
    /// When a request that was refused may come again.
    pub retry_after: Option<Duration>,
}

impl Standing {
    /// With what this refusal says.
    #[must_use]
    pub fn refused(self, error: &Error) -> Self {
        Self { retry_after: error.retry_after().or(self.retry_after), ..self }
    }

    /// Names and values: `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` as drafted by the IETF (seconds,
    /// rounded up), and after a refusal `Retry-After`.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let seconds = |time: Duration| nanos(time).div_ceil(1_000_000_000).to_string();
        let after = self.retry_after.map(|time| ("Retry-After", seconds(time.max(Duration::from_nanos(1)))));
        [
            ("RateLimit-Limit", self.limit.to_string()),
            ("RateLimit-Remaining", self.remaining.to_string()),
            ("RateLimit-Reset", seconds(self.reset_after)),
        ]
        .into_iter()
        .chain(after)
    }
}

impl RateLimiter {
    /// How its callers stand now. It takes nothing.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let stats = self.stats();
        let reset_after = self.lock().time_for(stats.burst.into(), false);
        Standing {
            limit: stats.burst,
            remaining: stats.tokens,
            reset_after: Duration::from_nanos(reset_after),
            retry_after: None,
        }
    }
}
