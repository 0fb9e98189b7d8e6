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

/// What a call asks for: a token, if it says nothing. What it does not say takes no room in the future.
pub trait Asks: Copy {
    /// How many tokens.
    #[inline(always)]
    fn cost(self) -> u32 {
        1
    }

    /// For a call of which class.
    #[inline(always)]
    fn class(self) -> Priority {
        Priority::Normal
    }
}

impl Asks for () {}

impl Asks for u32 {
    #[inline(always)]
    fn cost(self) -> u32 {
        self
    }
}

impl Asks for Priority {
    #[inline(always)]
    fn class(self) -> Priority {
        self
    }
}

impl Asks for (u32, Priority) {
    #[inline(always)]
    fn cost(self) -> u32 {
        self.0
    }

    #[inline(always)]
    fn class(self) -> Priority {
        self.1
    }
}

/// A limiter around a call, and what it learns from it.
pub struct RateLimiterLayer<P, A, F> {
    policy: P,
    ask: A,
    follow: F,
}

impl<P, A, F> RateLimiterLayer<P, A, F> {
    #[inline(always)]
    pub const fn new(policy: P, ask: A, follow: F) -> Self {
        Self { policy, ask, follow }
    }
}

impl<P, A, F> Keeps for RateLimiterLayer<P, A, F> {
    type Cold = Option<Waiting>;
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<RateLimiter>, A: Asks, F: Follow<R>> Layer<R> for RateLimiterLayer<P, A, F> {
    #[inline(always)]
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>> {
        let admitted = self.policy.get().admit(hot.caller(self.policy.alias()), self.ask.class(), self.ask.cost());
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
            let admitted = limiter.admit(caller, self.ask.class(), self.ask.cost());
            if admitted.is_ready() {
                self.follow.begin(limiter);
                return admitted;
            }
            let asked = (self.ask.class(), self.ask.cost());
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
        self.follow.end(limiter, self.ask.cost(), ended, hot, Following(hot.caller(self.policy.alias())));
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
