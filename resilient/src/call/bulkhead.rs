use crate::{
    call::{
        env::{Env, Hot},
        handle::Handle,
        layer::{Flow, Keeps, Layer, Room, Seen},
    },
    error::Error,
    outcome::Ending,
    policy::bulkhead::{Bulkhead, Waiting},
};
use std::task::Poll;

/// A bulkhead around a call. `KEPT`: the place outlives the call, as a permit.
pub struct BulkheadLayer<P, const KEPT: bool> {
    policy: P,
}

impl<P, const KEPT: bool> BulkheadLayer<P, KEPT> {
    #[inline(always)]
    pub const fn new(policy: P) -> Self {
        Self { policy }
    }
}

impl<P, const KEPT: bool> Keeps for BulkheadLayer<P, KEPT> {
    type Cold = Option<Waiting>;
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<Bulkhead>, const KEPT: bool> Layer<R> for BulkheadLayer<P, KEPT> {
    const HOLDS: bool = true;

    #[inline(always)]
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>> {
        self.policy.get().admit(hot.caller(self.policy.alias()))
    }

    fn wait(&mut self, cold: &mut Option<Waiting>, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        let (bulkhead, caller) = (self.policy.get(), env.hot.caller(self.policy.alias()));
        let waiting = if let Some(waiting) = *cold {
            waiting
        } else {
            if let ready @ Poll::Ready(_) = bulkhead.admit(caller) {
                return ready;
            }
            *cold.insert(bulkhead.get_in_line(caller, env.now, env.start_by, env.waker)?)
        };
        let (turn, again) = bulkhead.poll_turn(caller, waiting, env.now, env.waker);
        match turn {
            Poll::Pending => env.wake_at(again),
            Poll::Ready(_) => *cold = None,
        }
        turn
    }

    #[inline(always)]
    fn settle(&mut self, _: Seen<'_, R>, _: Hot) -> Flow {
        if !KEPT {
            self.policy.get().leave();
        }
        Flow::Outward
    }

    fn cancel(&mut self, _: Ending, _: Hot) {
        self.policy.get().leave();
    }

    fn forget(&mut self, cold: &mut Option<Waiting>) {
        if let Some(waiting) = cold.take() {
            self.policy.get().leave_line(waiting);
        }
    }
}
