use crate::{
    call::{
        env::{Env, Hot},
        handle::Handle,
        layer::{Flow, Keeps, Layer, Room, Seen},
        view::View,
    },
    error::Error,
    outcome::Ending,
    policy::bulkhead::{Ask, Bulkhead, Ticket, Waiting},
    priority::Priority,
};
use std::task::Poll;

/// A bulkhead around a call.
pub struct BulkheadLayer<P, V, C> {
    policy: P,
    view: V,
    class: C,
    /// What it holds, packed.
    ticket: u32,
}

/// How urgent the calls of a site are.
pub trait Class {
    /// This one.
    fn class(&self) -> Priority;
}

/// Nothing is said.
impl Class for () {
    #[inline(always)]
    fn class(&self) -> Priority {
        Priority::Normal
    }
}

impl Class for Priority {
    #[inline(always)]
    fn class(&self) -> Priority {
        *self
    }
}

impl<P, V> BulkheadLayer<P, V, ()> {
    #[inline(always)]
    pub const fn new(policy: P, view: V) -> Self {
        Self { policy, view, class: (), ticket: Ticket::NONE.pack() }
    }

    /// For a call of this class.
    #[inline(always)]
    pub fn of_class(self, class: Priority) -> BulkheadLayer<P, V, Priority> {
        BulkheadLayer { policy: self.policy, view: self.view, class, ticket: self.ticket }
    }
}

impl<P, V, C> BulkheadLayer<P, V, C> {
    /// How it ended is asked only where that counts.
    #[inline(never)]
    fn settle_measured<R>(&self, ended: Seen<'_, R>, hot: Hot)
    where
        P: Handle<Bulkhead>,
        V: View<R>,
    {
        let ending = match ended {
            Ok(_) if hot.rejected_inside => Ending::Ignored,
            Ok(output) if self.view.is_err(output) => Ending::Failure,
            Ok(_) => Ending::Success,
            Err(error) if error.is_rejection() => Ending::Ignored,
            Err(_) => Ending::Failure,
        };
        self.policy.get().settle(hot.caller(self.policy.alias()), Ticket::unpack(self.ticket), ending);
    }

    fn keep(&mut self, admitted: Result<Ticket, Error>) -> Result<(), Error> {
        self.ticket = admitted?.pack();
        Ok(())
    }
}

impl<P, V, C> Keeps for BulkheadLayer<P, V, C> {
    type Cold = Option<Waiting>;
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<Bulkhead>, V: View<R>, C: Class> Layer<R> for BulkheadLayer<P, V, C> {
    const HOLDS: bool = true;

    #[inline(always)]
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>> {
        match self.policy.get().admit(hot.caller(self.policy.alias())) {
            Poll::Ready(Ok(ticket)) => {
                self.ticket = ticket.pack();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn wait(&mut self, cold: &mut Option<Waiting>, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        let (bulkhead, caller) = (self.policy.get(), env.hot.caller(self.policy.alias()));
        let waiting = if let Some(waiting) = *cold {
            waiting
        } else {
            if let Poll::Ready(admitted) = bulkhead.admit(caller) {
                return Poll::Ready(self.keep(admitted));
            }
            let ask = Ask::new(1, self.class.class());
            match bulkhead.get_in_line(caller, &ask, env.now, env.start_by, env.waker) {
                Ok(waiting) if env.now < waiting.limit() => {
                    *cold = Some(waiting);
                    env.wake_at(waiting.limit());
                    return Poll::Pending;
                }
                Ok(waiting) => *cold.insert(waiting),
                Err(end) => return Poll::Ready(self.keep(end)),
            }
        };
        let (turn, again) = bulkhead.poll_turn(caller, waiting, env.now, env.waker);
        let Poll::Ready(turn) = turn else {
            env.wake_at(again);
            return Poll::Pending;
        };
        *cold = None;
        Poll::Ready(self.keep(turn))
    }

    #[inline(always)]
    fn settle(&mut self, ended: Seen<'_, R>, hot: Hot) -> Flow {
        if Ticket::is_measured(self.ticket) {
            self.settle_measured(ended, hot);
        } else {
            self.policy.get().leave(self.ticket);
        }
        Flow::Outward
    }

    fn cancel(&mut self, ending: Ending, hot: Hot) {
        self.policy.get().settle(hot.caller(self.policy.alias()), Ticket::unpack(self.ticket), ending);
    }

    fn forget(&mut self, cold: &mut Option<Waiting>) {
        if let Some(waiting) = cold.take() {
            self.policy.get().leave_line(waiting);
        }
    }
}
