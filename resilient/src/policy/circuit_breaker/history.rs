//! The last changes of state. Pure.

use super::{change::Change, state::CircuitState};
use crate::{cause::Cause, time::Nanos};
use std::collections::VecDeque;

/// What is remembered of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) from: CircuitState,
    pub(super) to: CircuitState,
    pub(super) cause: Cause,
    pub(super) at: Nanos,
}

/// The oldest first. Takes no room before the first.
#[derive(Debug)]
pub(super) struct History(VecDeque<Entry>);

impl History {
    /// So many are remembered.
    pub(super) const LENGTH: usize = 16;

    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn push(&mut self, change: &Change) {
        if self.0.len() == Self::LENGTH {
            self.0.pop_front();
        }
        // Room for all of them at once.
        self.0.reserve_exact(Self::LENGTH - self.0.len());
        let Change { from, to, cause, at, .. } = *change;
        self.0.push_back(Entry { from, to, cause, at });
    }

    pub(super) fn last(&self) -> Option<&Entry> {
        self.0.back()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }
}
