//! Changes of state.

use super::{state::CircuitState, window::Totals};
use crate::{
    cause::Cause,
    time::{NEVER, Nanos},
};
use std::time::Duration;

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: CircuitState,
    pub(super) to: CircuitState,
    pub(super) cause: Cause,
    /// What the window held.
    pub(super) totals: Totals,
    pub(super) at: Nanos,
    /// Until when it stays open, if it does.
    pub(super) until: Option<Nanos>,
    /// What the new state is called in tickets.
    pub(super) generation: u32,
}

impl Change {
    /// How long it stays open, where that is known.
    pub(super) fn open_for(&self) -> Option<Duration> {
        let until = self.until.filter(|until| *until != NEVER)?;
        Some(Duration::from_nanos(until.saturating_sub(self.at)))
    }
}

/// The changes that one step made, to be reported once no lock is held: an expired probe can re-open, time half-open, and
/// a result close.
#[derive(Debug, Default)]
pub(super) struct Changes([Option<Change>; 4]);

impl Changes {
    pub(super) fn push(&mut self, change: Change) {
        let free = self.0.iter_mut().find(|slot| slot.is_none());
        debug_assert!(free.is_some(), "a step makes at most four changes");
        if let Some(free) = free {
            *free = Some(change);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter().flatten()
    }
}
