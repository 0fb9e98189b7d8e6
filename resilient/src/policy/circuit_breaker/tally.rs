//! What a breaker has seen.

use super::state::CircuitState;
use crate::time::Nanos;

/// What the machine has seen since it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    pub(super) opened: u64,
    /// Those that threads do not count.
    pub(super) successes: u64,
    pub(super) failures: u64,
    /// Those of the failures that were panics.
    pub(super) panics: u64,
    pub(super) slow: u64,
    pub(super) late: u64,
    pub(super) shed: u64,
    /// Since when times are counted: its first step.
    pub(super) began: Option<Nanos>,
    pub(super) time_in: [Nanos; CircuitState::COUNT],
}

impl Tally {
    pub(super) const NEW: Self = Self {
        opened: 0,
        successes: 0,
        failures: 0,
        panics: 0,
        slow: 0,
        late: 0,
        shed: 0,
        began: None,
        time_in: [0; CircuitState::COUNT],
    };
}
