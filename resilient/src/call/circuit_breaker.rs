use crate::{
    call::{
        env::Hot,
        handle::Handle,
        judge::Judge,
        layer::{Flow, Keeps, Layer, Room, Seen},
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
    ticket: Ticket,
}

impl<P, J> CircuitBreakerLayer<P, J> {
    #[inline(always)]
    pub const fn new(policy: P, judge: J) -> Self {
        Self { policy, judge, ticket: Ticket::NONE }
    }
}

impl<P, J> Keeps for CircuitBreakerLayer<P, J> {
    type Cold = ();
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<CircuitBreaker>, J: Judge<R>> Layer<R> for CircuitBreakerLayer<P, J> {
    const HOLDS: bool = true;

    #[inline(always)]
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>> {
        match self.policy.get().admit(hot.caller(self.policy.alias())) {
            Ok(ticket) => {
                self.ticket = ticket;
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    #[inline(always)]
    fn settle(&mut self, ended: Seen<'_, R>, hot: Hot) -> Flow {
        let ending = match ended {
            Ok(_) if hot.rejected_inside => Ending::Ignored,
            Ok(output) => self.judge.judge(output),
            Err(error) if error.is_rejection() => Ending::Ignored,
            Err(_) => Ending::Failure,
        };
        self.policy.get().settle(hot.caller(self.policy.alias()), self.ticket, ending);
        Flow::Outward
    }

    fn cancel(&mut self, ending: Ending, hot: Hot) {
        self.policy.get().settle(hot.caller(self.policy.alias()), self.ticket, ending);
    }
}
