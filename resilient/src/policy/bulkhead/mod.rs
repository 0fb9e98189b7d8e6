//! Lets so many calls run at once.

mod config;
mod places;

pub use config::BulkheadConfig;

use super::permit::{Admit, Permit, sealed::Sealed};
use crate::{
    error::Error,
    event::{self, Caller},
    mark,
    outcome::Ending,
    queue::WaiterId,
    time::{NEVER, Nanos, nanos},
};
use places::Places;
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Poll, Waker},
};

/// Lets so many calls run at once.
///
/// A place is taken when the call first runs and given back at its end, its drop or its panic. With
/// [`wait`](BulkheadConfig::wait), calls wait for a place in the order in which they came; a place that becomes free
/// is handed to the first of them, and a dropped waiter passes it on.
///
/// ```
/// # use resilient::{Bulkhead, BulkheadConfig};
/// static REPORTS: Bulkhead = Bulkhead::new(BulkheadConfig::new(1));
/// let place = REPORTS.try_acquire().unwrap();
/// assert!(REPORTS.try_acquire().unwrap_err().is_bulkhead_full());
/// drop(place);
/// assert_eq!(REPORTS.available(), 1);
/// ```
pub struct Bulkhead {
    config: BulkheadConfig,
    places: Places,
    rejected: AtomicU64,
}

/// A call that waits for a place.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    id: WaiterId,
    /// When it is refused.
    limit: Nanos,
}

impl Bulkhead {
    /// A bulkhead with all its places free.
    ///
    /// # Panics
    /// When a number of the configuration can not work; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(config: BulkheadConfig) -> Self {
        config.assert();
        Self { places: Places::new(config.max), config, rejected: AtomicU64::new(0) }
    }

    /// The configuration.
    pub const fn config(&self) -> BulkheadConfig {
        self.config
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.config.name
    }

    /// Free places; none while others wait for one.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.places.available()
    }

    /// Takes a place, or refuses at once.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] when there is none, or others wait for theirs.
    pub fn try_acquire(&self) -> Result<Permit<'_, Self>, Error> {
        if self.places.enter() { Ok(Permit::new(self, ())) } else { Err(mark::refused(self.refuse(Caller::BY_HAND))) }
    }

    pub(crate) fn waits(&self) -> bool {
        self.config.wait.is_some()
    }

    /// Takes a place without waiting; `Pending` where waiting is configured.
    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller) -> Poll<Result<(), Error>> {
        if self.places.enter() {
            Poll::Ready(Ok(()))
        } else if self.waits() && self.places.has_room(self.config.queue_length()) {
            Poll::Pending
        } else {
            Poll::Ready(Err(self.refuse(caller)))
        }
    }

    /// Gets in line until `last` at most, unless that is full.
    pub(crate) fn get_in_line(&self, caller: Caller, now: Nanos, last: Nanos, waker: &Waker) -> Result<Waiting, Error> {
        let wait = self.config.wait.map_or(0, nanos);
        let limit = if wait == NEVER { NEVER } else { now.saturating_add(wait) };
        match self.places.get_in_line(self.config.queue_length(), waker) {
            Some(id) => Ok(Waiting { id, limit: limit.min(last) }),
            None => Err(self.refuse(caller)),
        }
    }

    /// `Pending` with the instant at which to ask again, if nobody calls before.
    pub(crate) fn poll_turn(
        &self,
        caller: Caller,
        waiting: Waiting,
        now: Nanos,
        waker: &Waker,
    ) -> (Poll<Result<(), Error>>, Nanos) {
        if self.places.turn_has_come(waiting.id, waker) {
            (Poll::Ready(Ok(())), NEVER)
        } else if now >= waiting.limit {
            self.places.leave_line(waiting.id);
            (Poll::Ready(Err(self.refuse(caller))), NEVER)
        } else {
            (Poll::Pending, waiting.limit)
        }
    }

    /// A dropped waiter passes its turn on.
    pub(crate) fn leave_line(&self, waiting: Waiting) {
        self.places.leave_line(waiting.id);
    }

    #[inline(always)]
    pub(crate) fn leave(&self) {
        self.places.leave();
    }

    #[cold]
    fn refuse(&self, caller: Caller) -> Error {
        self.rejected.fetch_add(1, Relaxed);
        let error =
            Error::BulkheadFull { policy: caller.policy(self.config.name), site: caller.site, max: self.config.max };
        event::rejected(&error);
        error
    }

    /// What it holds now.
    #[must_use]
    pub fn stats(&self) -> BulkheadStats {
        let (in_use, waiting) = self.places.read();
        BulkheadStats { max: self.config.max, in_use, waiting, rejected: self.rejected.load(Relaxed) }
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead").field("config", &self.config).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Sealed for Bulkhead {}

impl Admit for Bulkhead {
    type Ticket = ();

    fn settle(&self, (): (), _: Ending) {
        self.leave();
    }
}

/// A bulkhead at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadStats {
    /// The places.
    pub max: u32,
    /// Places taken.
    pub in_use: u32,
    /// Calls that wait for a place.
    pub waiting: u32,
    /// Calls that were refused.
    pub rejected: u64,
}
