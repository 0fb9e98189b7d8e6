use crate::{
    call::{
        env::Hot,
        handle::Handle,
        layer::{Flow, Keeps, Layer, Room, Seen},
    },
    error::Error,
    event::{self, EventKind},
    outcome::Ending,
    policy::timeout::Timeout,
    time::Nanos,
};
use std::task::Poll;

/// A timeout around a call.
pub struct TimeoutLayer<P> {
    policy: P,
}

impl<P> TimeoutLayer<P> {
    pub const fn new(policy: P) -> Self {
        Self { policy }
    }
}

/// The deadline, once the call has had to wait.
#[derive(Default)]
pub struct Deadline(Option<Nanos>);

impl<P> Keeps for TimeoutLayer<P> {
    type Cold = Deadline;
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<Timeout>> Layer<R> for TimeoutLayer<P> {
    const TIMED: bool = true;

    #[inline(always)]
    fn admit(&mut self, _: Hot) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, _: Seen<'_, R>, _: Hot) -> Flow {
        Flow::Outward
    }

    fn cancel(&mut self, _: Ending, _: Hot) {}

    fn deadline(&self, cold: &mut Deadline, now: Nanos) -> Nanos {
        *cold.0.get_or_insert_with(|| now.saturating_add(self.policy.get().nanos()))
    }

    fn expire(&self, cold: &Deadline, now: Nanos, began: bool, hot: Hot) -> Option<Error> {
        cold.0.filter(|deadline| now >= *deadline)?;
        let timeout = self.policy.get();
        let caller = hot.caller(self.policy.alias());
        let (policy, site, after) = (caller.policy(timeout.name()), caller.site, timeout.after());
        if !began {
            let error = Error::DeadlineExceeded { policy, site };
            event::rejected(&error);
            return Some(error);
        }
        timeout.timed_out();
        event::emit(caller, policy, EventKind::TimedOut { after });
        Some(Error::TimedOut { policy, site, after })
    }
}
