use crate::{
    call::{
        env::Env,
        handle::Handle,
        layer::{Ended, Flow, Layer},
    },
    error::Error,
    outcome::Ending,
    policy::bulkhead::{Bulkhead, Waiting},
};
use std::task::{Poll, Waker};

/// A bulkhead around a call. `KEPT`: the place outlives the call, as a permit.
pub struct BulkheadLayer<P: Handle<Bulkhead>, const KEPT: bool = false> {
    policy: P,
    state: State,
}

enum State {
    Out,
    /// Boxed: few calls wait.
    Waiting(Box<Waiting>),
    In,
}

impl<P: Handle<Bulkhead>, const KEPT: bool> BulkheadLayer<P, KEPT> {
    pub const fn new(policy: P) -> Self {
        Self { policy, state: State::Out }
    }

    #[cold]
    fn wait(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        // The engine reads the clock for those who have to wait.
        if env.deadline.is_none() {
            return Poll::Pending;
        }
        let site = env.site.name();
        let waker = env.waker.unwrap_or(Waker::noop());
        let waiting = match &self.state {
            State::Waiting(waiting) => **waiting,
            _ => match self.policy.get().get_in_line(site, env.now, waker) {
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

    #[inline(always)]
    fn leave(&mut self) {
        match std::mem::replace(&mut self.state, State::Out) {
            State::Out => {}
            State::Waiting(waiting) => self.policy.get().leave_line(*waiting),
            State::In => self.policy.get().leave(),
        }
    }
}

impl<R, P: Handle<Bulkhead>, const KEPT: bool> Layer<R> for BulkheadLayer<P, KEPT> {
    #[inline(always)]
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        match self.state {
            State::In => return Poll::Ready(Ok(())),
            State::Waiting(_) => return self.wait(env),
            State::Out => {}
        }
        match self.policy.get().admit(env.site.name()) {
            Poll::Ready(Ok(())) => self.state = State::In,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return self.wait(env),
        }
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, _: &mut Ended<R>, _: &mut Env<'_>) -> Flow {
        if KEPT && matches!(self.state, State::In) {
            self.state = State::Out;
        }
        self.leave();
        Flow::Outward
    }

    #[inline(always)]
    fn cancel(&mut self, _: Ending, _: &'static str) {
        self.leave();
    }
}
