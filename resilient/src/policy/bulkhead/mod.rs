//! Lets so many calls run at once.

mod acquire;
mod config;
mod control;
mod instance;
mod limit;
mod line;
mod measure;
mod places;
mod settings;
mod stats;
mod word;

pub use config::BulkheadConfig;
pub use stats::BulkheadStats;

pub(crate) use line::{Ask, Waiting};

use super::{
    keyed::Identity,
    mode::Mode,
    permit::{Admit, sealed::Sealed},
};
use crate::{
    error::Error,
    event::{self, Caller, EventKind},
    outcome::Ending,
};
use measure::Measure;
use places::Places;
use settings::Settings;
use stats::{Counters, Reason};
use std::{fmt, num::NonZeroU32, sync::OnceLock, task::Poll};

/// Lets so many calls run at once.
///
/// A place is taken when the call first runs and given back at its end, its drop or its panic. With
/// [`wait`](BulkheadConfig::wait), calls wait for a place, in the order in which they came or as
/// [`order`](BulkheadConfig::order) says; a place that becomes free is handed to the first of them, and a dropped waiter
/// passes it on. Who waits for several places is not overtaken by those behind it who ask for fewer.
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
    born: BulkheadConfig,
    /// Where events come from that no call causes.
    site: &'static str,
    /// Which of a keyed bulkhead's instances it is.
    identity: Identity,
    settings: Settings,
    places: Places,
    counters: Counters,
    measure: OnceLock<Box<Measure>>,
}

/// What an admitted call holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    places: u32,
    /// When it began, where it is measured.
    began: Option<NonZeroU32>,
}

impl Ticket {
    /// What a call holds that was let through without a place.
    pub(crate) const NONE: Self = Self { places: 0, began: None };

    /// That of one place at most as a number, which is all that a future keeps of it.
    #[inline(always)]
    pub(crate) const fn pack(self) -> u32 {
        match self.began {
            // Odd.
            Some(began) => began.get(),
            None => 2 * self.places,
        }
    }

    /// Whether a packed one is of a call that is measured.
    #[inline(always)]
    pub(crate) const fn is_measured(packed: u32) -> bool {
        packed & 1 == 1
    }

    #[inline(always)]
    pub(crate) const fn unpack(packed: u32) -> Self {
        if Self::is_measured(packed) {
            Self { places: 1, began: NonZeroU32::new(packed) }
        } else {
            Self { places: packed / 2, began: None }
        }
    }
}

impl Bulkhead {
    /// A bulkhead with all its places free.
    ///
    /// # Panics
    /// When a number of the configuration can not work; in a `const` or a `static` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(config: BulkheadConfig) -> Self {
        Self::owned(config, "")
    }

    /// That of one annotated fn.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn owned(config: BulkheadConfig, site: &'static str) -> Self {
        config.assert();
        Self {
            site,
            identity: Identity::none(),
            settings: Settings::new(&config),
            places: Places::new(config.first_limit(), config.order, config.mode),
            counters: Counters::new(),
            measure: OnceLock::new(),
            born: config,
        }
    }

    /// The name in errors, events and statistics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.born.name
    }

    /// Free places; none while others wait for one.
    #[must_use]
    pub fn available(&self) -> u32 {
        let word = self.places.word();
        if word.waiters() > 0 { 0 } else { self.places.limit().saturating_sub(word.taken()) }
    }

    /// Takes a place without waiting; `Pending` where waiting is configured.
    #[inline(always)]
    pub(crate) fn admit(&self, caller: Caller) -> Poll<Result<Ticket, Error>> {
        if self.places.enter(1) { Poll::Ready(Ok(self.ticket(1))) } else { self.admit_or_wait(caller, &Ask::ONE) }
    }

    #[inline(always)]
    fn ticket(&self, places: u32) -> Ticket {
        Ticket { places, began: if self.settings.is_adaptive() { Some(measure::begin()) } else { None } }
    }

    #[inline(always)]
    pub(crate) fn settle(&self, caller: Caller, ticket: Ticket, ending: Ending) {
        if ticket.places > 0 {
            let in_flight = self.places.leave(ticket.places);
            if let Some(began) = ticket.began {
                self.measure(caller, began, ending, in_flight);
            }
        }
    }

    /// Gives back what a packed ticket holds of which nothing is measured.
    #[inline(always)]
    pub(crate) fn leave(&self, packed: u32) {
        if packed != 0 {
            self.places.leave(packed / 2);
        }
    }

    /// A call that was measured has ended.
    #[inline(never)]
    fn measure(&self, caller: Caller, began: NonZeroU32, ending: Ending, in_flight: u32) {
        // None where the limit has been set by hand since.
        let Some(range) = self.settings.range() else { return };
        let measure = self.measure.get_or_init(|| Box::new(Measure::new(range)));
        if measure.record(began, ending, in_flight, range) {
            self.limit_to(caller, || self.settings.range().map(|_| measure.limit()));
        }
    }

    /// Lets so many run from now on, and says so where that is worth saying.
    fn limit_to(&self, caller: Caller, limit: impl FnOnce() -> Option<u32>) {
        let Some(limit) = self.places.set_limit(limit) else { return };
        if let Some(from) = self.counters.limit_is_news(limit, self.born.first_limit()) {
            event::emit_of(caller, self.name(), self.identity.label(), EventKind::LimitChanged { from, to: limit });
        }
    }

    #[cold]
    fn refuse(&self, caller: Caller, places: u32, reason: Reason) -> Result<Ticket, Error> {
        self.counters.refused(reason);
        let (policy, site) = (caller.policy(self.name()), caller.site);
        let error = match reason {
            Reason::TooMany => Error::TooManyPlaces { policy, site, places, max: self.settings.max() },
            _ => Error::BulkheadFull { policy, site, max: self.places.limit() },
        };
        let shadow = self.places.mode() == Mode::Shadow;
        if event::heard() {
            event::refused(&error, self.identity.label(), shadow);
        }
        if shadow { Ok(Ticket::NONE) } else { Err(error) }
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead").field("config", &self.config()).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Sealed for Bulkhead {}

impl Admit for Bulkhead {
    type Ticket = Ticket;

    #[inline]
    fn settle(&self, ticket: Ticket, ending: Ending) {
        self.settle(Caller::BY_HAND, ticket, ending);
    }
}
