use crate::{
    call::{
        env::Env,
        handle::Handle,
        layer::{Ended, Flow, Layer},
    },
    error::Error,
    event::{self, EventKind},
    outcome::Ending,
    policy::timeout::Timeout,
    time::{NEVER, Nanos},
};
use std::task::Poll;

/// A timeout around a call.
pub struct TimeoutLayer<P> {
    policy: P,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Out,
    /// Its clock starts when the call first waits.
    In {
        runs: u32,
    },
    Until {
        deadline: Nanos,
        runs: u32,
    },
}

impl<P> TimeoutLayer<P> {
    pub const fn new(policy: P) -> Self {
        Self { policy, state: State::Out }
    }
}

impl<R, P: Handle<Timeout>> Layer<R> for TimeoutLayer<P> {
    #[inline(always)]
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        if let State::Out = self.state {
            self.state = State::In { runs: env.runs };
            env.deadline = None;
        }
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, _: &mut Ended<R>, _: &mut Env<'_>) -> Flow {
        self.state = State::Out;
        Flow::Outward
    }

    #[inline(always)]
    fn cancel(&mut self, _: Ending, _: &'static str) {
        self.state = State::Out;
    }

    fn deadline(&mut self, now: Nanos) -> Nanos {
        match self.state {
            State::Out => NEVER,
            State::In { runs } => {
                let deadline = now.saturating_add(self.policy.get().nanos());
                self.state = State::Until { deadline, runs };
                deadline
            }
            State::Until { deadline, .. } => deadline,
        }
    }

    fn expire(&mut self, now: Nanos, env: &Env<'_>) -> Option<Error> {
        let State::Until { deadline, runs } = self.state else { return None };
        if now < deadline {
            return None;
        }
        self.state = State::Out;
        let timeout = self.policy.get();
        let (policy, site, after) = (timeout.name(), env.site.name(), timeout.after());
        if env.runs == runs {
            return Some(event::reject(Error::DeadlineExceeded { policy, site }));
        }
        timeout.timed_out();
        event::emit(site, policy, EventKind::TimedOut { after });
        Some(Error::TimedOut { policy, site, after })
    }
}
