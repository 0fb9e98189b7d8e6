//! Places taken by hand, by those who wait for them.

use super::mark;
use crate::{
    error::Error,
    event::Caller,
    policy::{
        bulkhead::{Ask, Bulkhead, Ticket, Waiting},
        owned_permit::OwnedPermit,
        permit::Permit,
    },
    priority::Priority,
    time::{NEVER, Nanos, Timer, nanos, precise},
};
use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

impl Bulkhead {
    /// Takes a place, waiting for it as configured.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] where there is none in time, or too many wait already.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn acquire(&self) -> Result<Permit<'_, Self>, Error> {
        self.ask(Ask::ONE).await.map(|ticket| Permit::new(self, ticket))
    }

    /// Takes so many places at once, waiting for them as configured. Nobody behind it overtakes it.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] where there are not so many in time, or too many wait already; [`Error::TooManyPlaces`] at
    /// once where there never are.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn acquire_many(&self, places: u32) -> Result<Permit<'_, Self>, Error> {
        self.ask(Ask::new(places, Priority::Normal)).await.map(|ticket| Permit::new(self, ticket))
    }

    /// Takes a place for a call of this class, waiting for it as configured: with [`Order::Priority`](crate::Order) the more
    /// urgent go first.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] where there is none in time, or too many wait already.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn acquire_as(&self, class: Priority) -> Result<Permit<'_, Self>, Error> {
        self.ask(Ask::new(1, class)).await.map(|ticket| Permit::new(self, ticket))
    }

    /// Takes a place, waiting for it up to `limit`, whatever is configured; [`Duration::MAX`] is for as long as it takes. The
    /// queue is as long as it is configured, or as there are places.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] where there is none in time, or too many wait already.
    ///
    /// # Panics
    /// Where it has to wait for a time, without a tokio runtime whose time driver is enabled.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    ///
    /// ```
    /// # use resilient::{Bulkhead, BulkheadConfig};
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// static TOOLS: Bulkhead = Bulkhead::new(BulkheadConfig::new(1));
    /// let place = TOOLS.try_acquire().unwrap();
    /// assert!(TOOLS.acquire_within(Duration::from_millis(1)).await.is_err());
    /// drop(place);
    /// assert!(TOOLS.acquire_within(Duration::MAX).await.is_ok());
    /// # }
    /// ```
    pub async fn acquire_within(&self, limit: Duration) -> Result<Permit<'_, Self>, Error> {
        let ask = Ask { wait: Some(nanos(limit)), ..Ask::ONE };
        self.ask(ask).await.map(|ticket| Permit::new(self, ticket))
    }

    /// Takes a place that may be held for as long as one likes, waiting for it as configured.
    ///
    /// # Errors
    /// [`Error::BulkheadFull`] where there is none in time, or too many wait already.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it gives its turn to the next.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedPermit<Self>, Error> {
        let ticket = self.ask(Ask::ONE).await?;
        Ok(OwnedPermit::new(self, ticket))
    }

    /// A refusal is told from an error of the caller's own, as that of a call is.
    async fn ask(&self, ask: Ask) -> Result<Ticket, Error> {
        let asked = self.wait_for(ask).await;
        mark::set(asked.is_err());
        asked
    }

    async fn wait_for(&self, ask: Ask) -> Result<Ticket, Error> {
        if let Poll::Ready(admitted) = self.admit_for(Caller::BY_HAND, &ask) {
            return admitted;
        }
        let mut line = InLine { bulkhead: self, ask, waiting: None };
        let mut timer = pin!(Timer::default());
        poll_fn(|cx| {
            loop {
                let again = match line.poll(cx) {
                    (Poll::Pending, again) => again,
                    (turn, _) => return turn,
                };
                if again == NEVER {
                    return Poll::Pending;
                }
                ready!(timer.as_mut().poll_until(again, cx));
            }
        })
        .await
    }
}

/// One who waits, until it has its turn or is dropped.
struct InLine<'a> {
    bulkhead: &'a Bulkhead,
    ask: Ask,
    waiting: Option<Waiting>,
}

impl InLine<'_> {
    /// `Pending` with the instant at which to ask again.
    fn poll(&mut self, cx: &Context<'_>) -> (Poll<Result<Ticket, Error>>, Nanos) {
        let (bulkhead, now) = (self.bulkhead, precise());
        let waiting = if let Some(waiting) = self.waiting {
            waiting
        } else {
            match bulkhead.get_in_line(Caller::BY_HAND, &self.ask, now, NEVER, cx.waker()) {
                Ok(waiting) if now < waiting.limit() => {
                    self.waiting = Some(waiting);
                    return (Poll::Pending, waiting.limit());
                }
                Ok(waiting) => *self.waiting.insert(waiting),
                Err(end) => return (Poll::Ready(end), NEVER),
            }
        };
        let (turn, again) = bulkhead.poll_turn(Caller::BY_HAND, waiting, now, cx.waker());
        if turn.is_ready() {
            self.waiting = None;
        }
        (turn, again)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.bulkhead.leave_line(waiting);
        }
    }
}
