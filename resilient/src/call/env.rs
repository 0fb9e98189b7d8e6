//! What layers may ask of the engine.

use crate::{event::Caller, registry::Site, time::Nanos};
use std::task::Waker;

/// What every layer may know.
#[derive(Clone, Copy)]
pub struct Hot {
    pub(crate) site: &'static Site,
    /// The body's error is a rejection by a site inside it.
    pub(crate) rejected_inside: bool,
}

/// What layers may know once the call has had to wait, or has failed.
pub struct Env<'w> {
    pub(crate) hot: Hot,
    pub(crate) waker: &'w Waker,
    pub(crate) now: Nanos,
    /// The earliest deadline of the layers entered.
    pub(crate) deadline: Nanos,
    /// When a layer that waits wants to be asked again.
    pub(crate) wake_at: Nanos,
    /// After this no attempt may begin.
    pub(crate) start_by: Nanos,
    /// The layer that settles next has judged already: it is a failure.
    pub(crate) judged: bool,
    /// The failure that was held for another attempt is the end.
    pub(crate) gave_up: bool,
}

impl Hot {
    /// On whose behalf a policy acts, where the site calls it `alias`.
    #[inline(always)]
    pub(crate) fn caller(self, alias: &'static str) -> Caller {
        Caller { site: self.site.name(), alias }
    }
}

impl Env<'_> {
    /// A turn that comes at this instant comes too late.
    pub(crate) fn last_turn(&self) -> Nanos {
        self.deadline.min(self.start_by.saturating_add(1))
    }

    pub(crate) fn wake_at(&mut self, at: Nanos) {
        self.wake_at = self.wake_at.min(at);
    }
}
