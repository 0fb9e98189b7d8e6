use crate::{
    call::{
        env::Hot,
        handle::Handle,
        layer::{Flow, Keeps, Layer, Room, Seen},
    },
    error::Error,
    outcome::Ending,
    policy::rate_limiter::{RateSlots, SlotKey},
};
use std::task::Poll;

/// The limit of one key around a call.
pub struct RateSlotsLayer<P> {
    policy: P,
    key: SlotKey,
    cost: u32,
}

impl<P> RateSlotsLayer<P> {
    #[inline(always)]
    pub const fn new(policy: P, key: SlotKey, cost: u32) -> Self {
        Self { policy, key, cost }
    }
}

impl<P> Keeps for RateSlotsLayer<P> {
    type Cold = ();
    type Room<R, I: Room<R>> = I;
}

impl<R, P: Handle<RateSlots>> Layer<R> for RateSlotsLayer<P> {
    #[inline(always)]
    fn admit(&mut self, hot: Hot) -> Poll<Result<(), Error>> {
        self.policy.get().admit(hot.caller(self.policy.alias()), self.key, self.cost)
    }

    #[inline(always)]
    fn settle(&mut self, _: Seen<'_, R>, _: Hot) -> Flow {
        Flow::Outward
    }

    /// Tokens are spent by the attempt, whatever becomes of it.
    fn cancel(&mut self, _: Ending, _: Hot) {}
}
