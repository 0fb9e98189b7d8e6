use crate::{
    call::{
        env::{Env, Hot},
        follow::{Follow, Following},
        handle::Handle,
        layer::{Flow, Keeps, Layer, Room, Seen},
    },
    error::Error,
    outcome::Ending,
    policy::rate_limiter::{RateLimiter, Waiting},
    priority::Priority,
};
use std::task::Poll;

/// A limiter around a call, and what it learns from it.
pub struct RateLimiterLayer<P, F> {
    policy: P,
    cost: u32,
    class: Priority,
    follow: F,
}

impl<P, F> RateLimiterLayer<P, F> {
    #[inline(always)]
    pub const fn new(policy: P, cost: u32, class: Priority, follow: F) -> Self {
        Self { policy, cost, class, follow }
    }
}

impl<P, F> Keeps for RateLimiterLayer<P, F> {
    type Cold = Option<Waiting>;
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<RateLimiter>, F: Follow<R>> Layer<R> for RateLimiterLayer<P, F> {
    #[inline(always)]
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>> {
        let admitted = self.policy.get().admit(hot.caller(self.policy.alias()), self.class, self.cost);
        if let Poll::Ready(Ok(())) = admitted {
            self.follow.begin(self.policy.get());
        }
        admitted
    }

    fn wait(&mut self, cold: &mut Option<Waiting>, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        let (limiter, caller) = (self.policy.get(), env.hot.caller(self.policy.alias()));
        let waiting = if let Some(waiting) = *cold {
            waiting
        } else {
            let admitted = limiter.admit(caller, self.class, self.cost);
            if admitted.is_ready() {
                self.follow.begin(limiter);
                return admitted;
            }
            let asked = (self.class, self.cost);
            match limiter.get_in_line(caller, asked, env.last_turn(), env.waker)? {
                Some(waiting) => *cold.insert(waiting),
                // In the shadow.
                None => return Poll::Ready(Ok(())),
            }
        };
        let (turn, again) = limiter.poll_turn(caller, waiting, env.waker);
        match turn {
            Poll::Pending => env.wake_at(again),
            Poll::Ready(_) => {
                *cold = None;
                self.follow.begin(self.policy.get());
            }
        }
        turn
    }

    #[inline(always)]
    fn settle(&mut self, ended: Seen<'_, R>, hot: Hot) -> Flow {
        let limiter = self.policy.get();
        self.follow.end(limiter, self.cost, ended, hot, Following(hot.caller(self.policy.alias())));
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
