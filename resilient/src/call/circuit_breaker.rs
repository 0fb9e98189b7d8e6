use crate::{
    call::{
        env::Env,
        handle::Handle,
        judge::Judge,
        layer::{Ended, Flow, Layer},
    },
    error::Error,
    outcome::Ending,
    policy::circuit_breaker::{CircuitBreaker, Ticket},
};
use std::task::Poll;

/// A breaker around a call.
pub struct CircuitBreakerLayer<P, J> {
    policy: P,
    judge: J,
    ticket: Option<Ticket>,
}

impl<P, J> CircuitBreakerLayer<P, J> {
    pub const fn new(policy: P, judge: J) -> Self {
        Self { policy, judge, ticket: None }
    }
}

impl<R, P: Handle<CircuitBreaker>, J: Judge<R>> Layer<R> for CircuitBreakerLayer<P, J> {
    #[inline(always)]
    fn enter(&mut self, env: &mut Env<'_>) -> Poll<Result<(), Error>> {
        if self.ticket.is_none() {
            match self.policy.get().admit(env.site.name()) {
                Ok(ticket) => self.ticket = Some(ticket),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    #[inline(always)]
    fn settle(&mut self, ended: &mut Ended<R>, env: &mut Env<'_>) -> Flow {
        if let Some(ticket) = self.ticket {
            // The user's predicate may panic: the ticket is given up only after it.
            let ending = match ended {
                Ended::Output(output) => match self.judge.judge(output) {
                    Ending::Failure if env.rejected_inside => Ending::Ignored,
                    ending => ending,
                },
                Ended::Ours(error) if error.is_rejection() => Ending::Ignored,
                Ended::Ours(_) => Ending::Failure,
            };
            self.ticket = None;
            self.policy.get().settle(env.site.name(), ticket, ending);
        }
        Flow::Outward
    }

    fn cancel(&mut self, ending: Ending, site: &'static str) {
        if let Some(ticket) = self.ticket.take() {
            self.policy.get().settle(site, ticket, ending);
        }
    }
}
