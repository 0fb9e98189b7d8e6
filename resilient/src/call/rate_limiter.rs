use crate::{
    call::{
        env::{Env, Hot},
        handle::Handle,
        layer::{Flow, Keeps, Layer, Room, Seen},
    },
    error::Error,
    outcome::Ending,
    policy::rate_limiter::{RateLimiter, Waiting},
};
use std::task::Poll;

/// A limiter around a call.
pub struct RateLimiterLayer<P> {
    policy: P,
    cost: u32,
}

impl<P> RateLimiterLayer<P> {
    #[inline(always)]
    pub const fn new(policy: P, cost: u32) -> Self {
        Self { policy, cost }
    }
}

impl<P> Keeps for RateLimiterLayer<P> {
    type Cold = Option<Waiting>;
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<RateLimiter>> Layer<R> for RateLimiterLayer<P> {
    #[inline(always)]
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>> {
        self.policy.get().admit(hot.caller(self.policy.alias()), self.cost)
    }

    fn wait(&mut self, cold: &mut Option<Waiting>, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        let (limiter, caller) = (self.policy.get(), env.hot.caller(self.policy.alias()));
        let waiting = if let Some(waiting) = *cold {
            waiting
        } else {
            if let ready @ Poll::Ready(_) = limiter.admit(caller, self.cost) {
                return ready;
            }
            *cold.insert(limiter.get_in_line(caller, self.cost, env.now, env.last_turn(), env.waker)?)
        };
        let (turn, again) = limiter.poll_turn(caller, waiting, env.now, env.waker);
        match turn {
            Poll::Pending => env.wake_at(again),
            Poll::Ready(_) => *cold = None,
        }
        turn
    }

    #[inline(always)]
    fn settle(&mut self, _: Seen<'_, R>, _: Hot) -> Flow {
        Flow::Outward
    }

    /// Tokens are spent by the attempt, whatever becomes of it.
    fn cancel(&mut self, _: Ending, _: Hot) {}

    fn forget(&mut self, cold: &mut Option<Waiting>) {
        if let Some(waiting) = cold.take() {
            self.policy.get().leave_line(waiting);
        }
    }
}
