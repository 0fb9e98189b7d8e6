//! What people do with breakers of which there is one for each key.

use super::{CircuitBreaker, CircuitBreakerStats, CircuitState};
use crate::{
    error::Error,
    policy::{
        keyed::{KeyError, KeyOf, Keyed, Keys},
        mode::Mode,
        owned_permit::OwnedPermit,
    },
};
use std::{convert::Infallible, hash::Hash, sync::Arc};

/// All instances of a keyed breaker together, as they are now: what evicted ones did is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitBreakerTotals {
    /// How many there are.
    pub keys: usize,
    /// How many are closed.
    pub closed: usize,
    /// How many are open.
    pub open: usize,
    /// How many are half-open.
    pub half_open: usize,
    /// How many are in a state set by hand.
    pub manual: usize,
    /// Results in their windows.
    pub calls: u64,
    /// Failures in their windows.
    pub failures: u64,
    /// How often they opened.
    pub opened: u64,
    /// How many calls they refused.
    pub rejected: u64,
    /// How many calls failed since each was made.
    pub total_failures: u64,
    /// How many calls were slow since each was made.
    pub total_slow: u64,
}

impl CircuitBreakerTotals {
    fn of<'s>(all: impl Iterator<Item = CircuitBreakerStats> + 's) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum.keys += 1;
            *match one.state {
                CircuitState::Closed => &mut sum.closed,
                CircuitState::Open => &mut sum.open,
                CircuitState::HalfOpen => &mut sum.half_open,
                CircuitState::ForcedOpen | CircuitState::ForcedClosed | CircuitState::Disabled => &mut sum.manual,
            } += 1;
            sum.calls += one.calls;
            sum.failures += one.failures;
            sum.opened += one.opened;
            sum.rejected += one.rejected;
            sum.total_failures += one.total_failures;
            sum.total_slow += one.total_slow;
            sum
        })
    }
}

impl CircuitBreaker {
    /// As all of its kind are told: it is no order for this one alone.
    fn set_mode_with_all(&self, mode: Mode) {
        let mut core = self.lock();
        core.config = core.config.mode(mode);
        drop(core);
        self.set_mode(mode);
    }
}

fn state(breaker: Option<Arc<CircuitBreaker>>) -> CircuitState {
    breaker.map_or(CircuitState::Closed, |breaker| breaker.state())
}

impl Keys<CircuitBreaker> {
    /// The state of the breaker of `key`: closed where there is none.
    ///
    /// # Errors
    /// [`KeyError::WrongType`] where no call has a key of this type.
    pub fn state<K: Hash + ?Sized>(&self, key: &K) -> Result<CircuitState, KeyError> {
        self.find(key).map(state)
    }

    /// Refuses every call of `key` until it is reset. Made for that purpose if there is none, it takes its label and
    /// health check from the first call, and is called by its fingerprint until then.
    ///
    /// # Errors
    /// [`KeyError::WrongType`] where no call has a key of this type, [`KeyError::NoRoom`] where all `max_keys` are set by
    /// hand.
    pub fn force_open<K: Hash + ?Sized>(&self, key: &K) -> Result<(), KeyError> {
        self.tell(key, CircuitBreaker::force_open)
    }

    /// Lets every call of `key` pass, recorded but never judged, until it is reset.
    ///
    /// # Errors
    /// As those of [`force_open`](Self::force_open).
    pub fn force_closed<K: Hash + ?Sized>(&self, key: &K) -> Result<(), KeyError> {
        self.tell(key, CircuitBreaker::force_closed)
    }

    /// Lets every call of `key` pass and records nothing, until it is reset.
    ///
    /// # Errors
    /// As those of [`force_open`](Self::force_open).
    pub fn disable<K: Hash + ?Sized>(&self, key: &K) -> Result<(), KeyError> {
        self.tell(key, CircuitBreaker::disable)
    }

    /// Has the breaker of `key` act, only report, or do nothing, until it has the mode of all again.
    ///
    /// # Errors
    /// As those of [`force_open`](Self::force_open).
    pub fn set_mode_of<K: Hash + ?Sized>(&self, key: &K, mode: Mode) -> Result<(), KeyError> {
        self.tell(key, |breaker| breaker.set_mode(mode))
    }

    fn tell<K: Hash + ?Sized>(&self, key: &K, order: impl Fn(&CircuitBreaker)) -> Result<(), KeyError> {
        self.knows::<K>()?;
        self.order(key, None, order)
    }

    /// Has all act, only report, or do nothing, from now on; new ones too.
    pub fn set_mode(&self, mode: Mode) {
        let Ok(()) =
            self.configure::<Infallible>(|config| Ok(config.mode(mode)), |breaker| breaker.set_mode_with_all(mode));
    }

    /// All instances together. Asks each of them, for about a microsecond.
    #[must_use]
    pub fn totals(&self) -> CircuitBreakerTotals {
        CircuitBreakerTotals::of(self.instances().into_iter().map(|(_, breaker)| breaker.stats()))
    }
}

impl<K: Hash + ?Sized> Keyed<K, CircuitBreaker> {
    /// The state of the breaker of `key`: closed where there is none.
    #[must_use]
    pub fn state<Q: KeyOf<K> + ?Sized>(&self, key: &Q) -> CircuitState {
        state(self.find(key))
    }

    /// Admits an attempt for `key`, or refuses it at once. Settle the permit with what the attempt did.
    ///
    /// # Errors
    /// [`Error::CircuitOpen`] as from the breaker's own [`try_acquire`](CircuitBreaker::try_acquire).
    pub fn try_acquire(&self, key: &K) -> Result<OwnedPermit<CircuitBreaker>, Error> {
        self.get(key).try_acquire_owned()
    }

    /// Refuses every call of `key` until it is reset.
    ///
    /// # Errors
    /// [`KeyError::NoRoom`] where all `max_keys` are set by hand.
    pub fn force_open(&self, key: &K) -> Result<(), KeyError> {
        self.order(key, CircuitBreaker::force_open)
    }

    /// Lets every call of `key` pass, recorded but never judged, until it is reset.
    ///
    /// # Errors
    /// [`KeyError::NoRoom`] where all `max_keys` are set by hand.
    pub fn force_closed(&self, key: &K) -> Result<(), KeyError> {
        self.order(key, CircuitBreaker::force_closed)
    }

    /// Lets every call of `key` pass and records nothing, until it is reset.
    ///
    /// # Errors
    /// [`KeyError::NoRoom`] where all `max_keys` are set by hand.
    pub fn disable(&self, key: &K) -> Result<(), KeyError> {
        self.order(key, CircuitBreaker::disable)
    }

    /// Has the breaker of `key` act, only report, or do nothing, until it has the mode of all again.
    ///
    /// # Errors
    /// [`KeyError::NoRoom`] where all `max_keys` are set by hand.
    pub fn set_mode_of(&self, key: &K, mode: Mode) -> Result<(), KeyError> {
        self.order(key, |breaker| breaker.set_mode(mode))
    }

    /// Has all act, only report, or do nothing, from now on; new ones too.
    pub fn set_mode(&self, mode: Mode) {
        self.keys().set_mode(mode);
    }

    /// All instances together. Asks each of them, for about a microsecond.
    #[must_use]
    pub fn totals(&self) -> CircuitBreakerTotals {
        self.keys().totals()
    }
}
