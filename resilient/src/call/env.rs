//! What layers may ask of the engine.

use crate::{registry::Site, time::Nanos};
use std::task::Waker;

/// What layers may ask of the engine during one walk.
pub struct Env<'w> {
    pub(crate) site: &'static Site,
    /// Nobody wakes a call that is not polled.
    pub(crate) waker: Option<&'w Waker>,
    /// The earliest deadline around the layer that asks, once it has asked.
    pub(crate) deadline: Option<Nanos>,
    pub(crate) now: Nanos,
    /// When the layer that waits wants to be asked again.
    pub(crate) wake_at: Nanos,
    /// How often a body has begun.
    pub(crate) runs: u32,
    /// Whether the body's error is a rejection by a site inside it.
    pub(crate) rejected_inside: bool,
}

impl Env<'_> {
    pub(crate) fn wake_at(&mut self, at: Nanos) {
        self.wake_at = self.wake_at.min(at);
    }
}
