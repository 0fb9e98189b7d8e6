//! Places taken by hand, at once or not at all.

use super::{Ask, Bulkhead, Ticket, stats::Reason};
use crate::{
    error::Error,
    event::Caller,
    mark,
    policy::{owned_permit::OwnedPermit, permit::Permit},
    priority::Priority,
};
use std::{sync::Arc, task::Poll};

impl Bulkhead {
    /// Takes a place, or refuses at once.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] when there is none, or others wait for theirs.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_, Self>, Error> {
        // By itself: a narrow result is not copied into a wide one.
        if self.places.enter(1) {
            return Ok(Permit::new(self, self.ticket(1)));
        }
        self.try_ask(&Ask::ONE).map(|ticket| Permit::new(self, ticket))
    }

    /// Takes so many places at once, or none of them.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] when there are not so many, or others wait for theirs; [`Error::TooManyPlaces`] when there
    /// never are.
    pub fn try_acquire_many(&self, places: u32) -> Result<Permit<'_, Self>, Error> {
        self.try_ask(&Ask::new(places, Priority::Normal)).map(|ticket| Permit::new(self, ticket))
    }

    /// Takes a place for a call of this class, or refuses at once. Who waits comes first, of whatever class: it is in line
    /// that classes count.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] when there is none, or others wait for theirs.
    pub fn try_acquire_as(&self, class: Priority) -> Result<Permit<'_, Self>, Error> {
        self.try_ask(&Ask::new(1, class)).map(|ticket| Permit::new(self, ticket))
    }

    /// Takes a place that may be held for as long as one likes.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] when there is none, or others wait for theirs.
    ///
    /// ```
    /// # use resilient::{Bulkhead, BulkheadConfig};
    /// # use std::sync::Arc;
    /// let connections = Arc::new(Bulkhead::new(BulkheadConfig::new(10)));
    /// let place = connections.try_acquire_owned().unwrap();
    /// let task = std::thread::spawn(move || place.success());
    /// # task.join().unwrap();
    /// # assert_eq!(connections.available(), 10);
    /// ```
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit<Self>, Error> {
        let ticket = self.try_ask(&Ask::ONE)?;
        Ok(OwnedPermit::new(Arc::clone(self), ticket))
    }

    #[inline(never)]
    fn try_ask(&self, ask: &Ask) -> Result<Ticket, Error> {
        let admitted = match self.admit_for(Caller::BY_HAND, &Ask { wait: Some(0), ..*ask }) {
            Poll::Ready(admitted) => admitted,
            Poll::Pending => self.refuse(Caller::BY_HAND, ask.places, Reason::Full),
        };
        admitted.map_err(mark::refused)
    }
}
