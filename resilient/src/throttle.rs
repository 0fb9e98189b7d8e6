//! What slows a client down, whichever way that is done.

use crate::{
    error::Error,
    outcome::Outcome,
    policy::{bulkhead::Bulkhead, permit::Permit, rate_limiter::RateLimiter},
};
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// Waits for a [`Pass`].
pub type Passing<'a> = Pin<Box<dyn Future<Output = Result<Pass<'a>, Error>> + Send + 'a>>;

/// What lets the requests of a client through: a [`Bulkhead`], so many at once, as a semaphore does; a [`RateLimiter`], so
/// many per period; [`Unthrottled`], all; or one's own.
///
/// A client that holds an `Arc<dyn Throttle>` takes any of them.
///
/// ```
/// use resilient::{Bulkhead, BulkheadConfig, Error, Rate, RateLimiter, RateLimiterConfig, Throttle, Unthrottled};
/// use std::sync::Arc;
///
/// struct Client {
///     throttle: Arc<dyn Throttle>,
/// }
///
/// impl Client {
///     async fn get(&self, url: &str) -> Result<String, Error> {
///         let pass = self.throttle.acquire().await?;
///         let answer = Ok(url.to_uppercase());
///         pass.record(&answer);
///         answer
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let semaphore = Bulkhead::new(BulkheadConfig::new(16).wait_unbounded().queue_unbounded());
/// let limiter = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(10)).wait_unbounded());
/// for throttle in [Arc::new(semaphore) as Arc<dyn Throttle>, Arc::new(limiter), Arc::new(Unthrottled)] {
///     assert_eq!(Client { throttle }.get("a").await.unwrap(), "A");
/// }
/// # }
/// ```
pub trait Throttle: Send + Sync {
    /// Waits until a request may be made, or refuses it: as long as the throttle is configured to wait.
    ///
    /// # Errors
    /// The throttle's, where it refuses the request.
    ///
    /// # Cancel safety
    /// Those of this crate give their turn to the next.
    fn acquire(&self) -> Passing<'_>;

    /// Tells at once whether a request may be made.
    ///
    /// # Errors
    /// The throttle's, where it refuses the request.
    fn try_acquire(&self) -> Result<Pass<'_>, Error>;
}

/// A request that was let through. Dropped at its end, it gives back what it holds.
///
/// Settle it where the throttle learns from what requests do: an adaptive bulkhead measures only those that end well.
#[must_use = "dropping a pass ends the request"]
pub struct Pass<'a>(Held<'a>);

enum Held<'a> {
    Nothing,
    Place(Permit<'a, Bulkhead>),
    Tokens(Permit<'a, RateLimiter>),
    Other(#[expect(dead_code, reason = "held until it is dropped")] Box<dyn Send + 'a>),
}

impl<'a> Pass<'a> {
    /// One that holds nothing.
    pub const fn free() -> Self {
        Self(Held::Nothing)
    }

    /// One of a throttle of one's own: `held` is dropped at its end.
    pub fn holding(held: impl Send + 'a) -> Self {
        Self(Held::Other(Box::new(held)))
    }

    /// The request was answered.
    pub fn success(self) {
        match self.0 {
            Held::Place(permit) => permit.success(),
            Held::Tokens(permit) => permit.success(),
            Held::Nothing | Held::Other(_) => {}
        }
    }

    /// The request failed.
    pub fn failure(self) {
        match self.0 {
            Held::Place(permit) => permit.failure(),
            Held::Tokens(permit) => permit.failure(),
            Held::Nothing | Held::Other(_) => {}
        }
    }

    /// An `Err` is a failure, everything else a success.
    pub fn record<R: Outcome>(self, result: &R) {
        if result.as_err().is_some() { self.failure() } else { self.success() }
    }
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").finish_non_exhaustive()
    }
}

/// Lets every request through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unthrottled;

impl Throttle for Unthrottled {
    fn acquire(&self) -> Passing<'_> {
        Box::pin(async { Ok(Pass::free()) })
    }

    fn try_acquire(&self) -> Result<Pass<'_>, Error> {
        Ok(Pass::free())
    }
}

/// So many requests at once. To wait in line it needs [`wait`](crate::BulkheadConfig::wait).
impl Throttle for Bulkhead {
    fn acquire(&self) -> Passing<'_> {
        Box::pin(async { self.acquire().await.map(|permit| Pass(Held::Place(permit))) })
    }

    fn try_acquire(&self) -> Result<Pass<'_>, Error> {
        self.try_acquire().map(|permit| Pass(Held::Place(permit)))
    }
}

/// So many requests per period. To wait in line it needs [`wait`](crate::RateLimiterConfig::wait).
impl Throttle for RateLimiter {
    fn acquire(&self) -> Passing<'_> {
        Box::pin(async { self.acquire().await.map(|permit| Pass(Held::Tokens(permit))) })
    }

    fn try_acquire(&self) -> Result<Pass<'_>, Error> {
        self.try_acquire().map(|permit| Pass(Held::Tokens(permit)))
    }
}

impl<T: Throttle + ?Sized> Throttle for Arc<T> {
    fn acquire(&self) -> Passing<'_> {
        (**self).acquire()
    }

    fn try_acquire(&self) -> Result<Pass<'_>, Error> {
        (**self).try_acquire()
    }
}

impl<T: Throttle + ?Sized> Throttle for &T {
    fn acquire(&self) -> Passing<'_> {
        (**self).acquire()
    }

    fn try_acquire(&self) -> Result<Pass<'_>, Error> {
        (**self).try_acquire()
    }
}
