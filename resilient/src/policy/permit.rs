//! The token of an admitted attempt.

use crate::{
    mark,
    outcome::{Ending, Outcome},
};
use std::fmt;

/// A policy that admits attempts one by one. Sealed: implemented by this crate's policies.
pub trait Admit: sealed::Sealed {
    /// What an admitted attempt shows when it ends.
    #[doc(hidden)]
    type Ticket: Copy + Send + Sync;

    /// Whether a permit that is dropped gives something back.
    #[doc(hidden)]
    const HOLDS: bool = true;

    #[doc(hidden)]
    fn settle(&self, ticket: Self::Ticket, ending: Ending);
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// An admitted attempt, to be settled with what it did.
///
/// Dropping it unsettled means *cancelled*: what it holds is given back, and it is recorded as neither success nor
/// failure. Dropped while its thread panics it is recorded as a failure.
///
/// ```
/// # use resilient::{CircuitBreaker, CircuitBreakerConfig};
/// static BREAKER: CircuitBreaker = CircuitBreaker::new(CircuitBreakerConfig::new());
/// # fn ask() -> Result<u32, std::io::Error> { Ok(1) }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let permit = BREAKER.try_acquire()?;
/// let answer = ask();
/// permit.record(&answer);
/// # Ok(()) }
/// ```
#[must_use = "dropping a permit ends the attempt as cancelled"]
pub struct Permit<'a, P: Admit> {
    policy: &'a P,
    ticket: P::Ticket,
}

impl<'a, P: Admit> Permit<'a, P> {
    #[inline]
    pub(crate) fn new(policy: &'a P, ticket: P::Ticket) -> Self {
        // What fails from now on is not what was refused before.
        mark::set(false);
        Self { policy, ticket }
    }

    /// The dependency answered.
    #[inline]
    pub fn success(self) {
        self.end(Ending::Success);
    }

    /// The dependency failed.
    #[inline]
    pub fn failure(self) {
        self.end(Ending::Failure);
    }

    /// Neither: the place is given back, and nothing is recorded.
    #[inline]
    pub fn ignore(self) {
        self.end(Ending::Ignored);
    }

    /// An `Err` is a failure, everything else a success.
    #[inline]
    pub fn record<R: Outcome>(self, result: &R) {
        self.end(of(result));
    }

    #[inline]
    fn end(self, ending: Ending) {
        self.policy.settle(self.ticket, ending);
        std::mem::forget(self);
    }
}

impl<P: Admit> Drop for Permit<'_, P> {
    fn drop(&mut self) {
        if P::HOLDS {
            self.policy.settle(self.ticket, dropped());
        }
    }
}

impl<P: Admit> fmt::Debug for Permit<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// An `Err` is a failure, everything else a success.
pub(super) fn of<R: Outcome>(result: &R) -> Ending {
    if result.as_err().is_some() { Ending::Failure } else { Ending::Success }
}

/// A permit that was not settled.
pub(super) fn dropped() -> Ending {
    if std::thread::panicking() { Ending::Panicked } else { Ending::Cancelled }
}
