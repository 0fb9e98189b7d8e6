use crate::{
    call::{
        env::Env,
        handle::Handle,
        layer::{Ended, Flow, Layer},
    },
    error::Error,
    outcome::Ending,
    policy::rate_limiter::{RateLimiter, Waiting},
};
use std::task::{Poll, Waker};

/// A limiter around a call.
pub struct RateLimiterLayer<P: Handle<RateLimiter>> {
    policy: P,
    cost: u32,
    state: State,
}

enum State {
    Out,
    /// Boxed: few calls wait.
    Waiting(Box<Waiting>),
    In,
}

impl<P: Handle<RateLimiter>> RateLimiterLayer<P> {
    pub const fn new(policy: P, cost: u32) -> Self {
        Self { policy, cost, state: State::Out }
    }

    #[cold]
    fn wait(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        // The engine reads the clock and the deadline for those who have to wait.
        let Some(deadline) = env.deadline else { return Poll::Pending };
        let site = env.site.name();
        let waker = env.waker.unwrap_or(Waker::noop());
        let waiting = match &self.state {
            State::Waiting(waiting) => **waiting,
            _ => match self.policy.get().get_in_line(site, self.cost, env.now, deadline, waker) {
                Ok(waiting) => {
                    self.state = State::Waiting(Box::new(waiting));
                    waiting
                }
                Err(error) => return Poll::Ready(Err(error)),
            },
        };
        let (turn, again) = self.policy.get().poll_turn(site, waiting, env.now, waker);
        match &turn {
            Poll::Ready(Ok(())) => self.state = State::In,
            Poll::Ready(Err(_)) => self.state = State::Out,
            Poll::Pending => env.wake_at(again),
        }
        turn
    }

    fn leave(&mut self) {
        if let State::Waiting(waiting) = std::mem::replace(&mut self.state, State::Out) {
            self.policy.get().leave_line(*waiting);
        }
    }
}

impl<R, P: Handle<RateLimiter>> Layer<R> for RateLimiterLayer<P> {
    #[inline(always)]
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        match self.state {
            State::In => return Poll::Ready(Ok(())),
            State::Waiting(_) => return self.wait(env),
            State::Out => {}
        }
        match self.policy.get().admit(env.site.name(), self.cost) {
            Poll::Ready(Ok(())) => self.state = State::In,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return self.wait(env),
        }
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, _: &mut Ended<R>, _: &mut Env<'_>) -> Flow {
        self.leave();
        Flow::Outward
    }

    #[inline(always)]
    fn cancel(&mut self, _: Ending, _: &'static str) {
        self.leave();
    }
}
