//! The token of an admitted attempt that borrows nothing.

use super::permit::{Admit, dropped, of};
use crate::{
    mark,
    outcome::{Ending, Outcome},
};
use std::{fmt, sync::Arc};

/// An admitted attempt, like [`Permit`](super::permit::Permit), that owns a share of its policy: it may go wherever the attempt goes.
///
/// Dropping it unsettled means *cancelled*, and dropped while its thread panics it is recorded as a failure.
#[must_use = "dropping a permit ends the attempt as cancelled"]
pub struct OwnedPermit<P: Admit> {
    policy: Arc<P>,
    ticket: Option<P::Ticket>,
}

impl<P: Admit> OwnedPermit<P> {
    pub(crate) fn new(policy: Arc<P>, ticket: P::Ticket) -> Self {
        mark::set(false);
        Self { policy, ticket: Some(ticket) }
    }

    /// The dependency answered.
    pub fn success(mut self) {
        self.end(Ending::Success);
    }

    /// The dependency failed.
    pub fn failure(mut self) {
        self.end(Ending::Failure);
    }

    /// Neither: the place is given back, and nothing is recorded.
    pub fn ignore(mut self) {
        self.end(Ending::Ignored);
    }

    /// An `Err` is a failure, everything else a success.
    pub fn record<R: Outcome>(mut self, result: &R) {
        self.end(of(result));
    }

    /// The policy.
    pub fn policy(&self) -> &Arc<P> {
        &self.policy
    }

    fn end(&mut self, ending: Ending) {
        if let Some(ticket) = self.ticket.take() {
            self.policy.settle(ticket, ending);
        }
    }
}

impl<P: Admit> Drop for OwnedPermit<P> {
    fn drop(&mut self) {
        self.end(dropped());
    }
}

impl<P: Admit> fmt::Debug for OwnedPermit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
