//! How many instances may be kept, and for how long.

use crate::{
    check,
    error::demand,
    time::{Nanos, nanos},
};
use std::time::Duration;

/// How many instances may be kept, and for how long unused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max: usize,
    pub(super) idle: Nanos,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self { max: 10_000, idle: nanos(Duration::from_secs(600)) };

    #[track_caller]
    pub(super) const fn max_keys(self, max_keys: u32) -> Self {
        demand(check::max_keys(max_keys));
        Self { max: max_keys as usize, ..self }
    }

    #[track_caller]
    pub(super) const fn idle(self, idle: Duration) -> Self {
        demand(check::idle(idle));
        Self { idle: nanos(idle), ..self }
    }
}

/// How many instances there are, and what became of others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedStats {
    /// Instances.
    pub keys: usize,
    /// How many were evicted, idle or to make room.
    pub evicted: u64,
    /// How many calls had an instance to themselves, for lack of room.
    pub unstored: u64,
}
