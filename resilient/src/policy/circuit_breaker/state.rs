//! The states, and the tickets that calls are admitted with.

use crate::time::Nanos;
use std::fmt;

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls pass and are judged.
    Closed,
    /// Calls are refused until the time is over.
    Open,
    /// A few probes pass, and decide; with a `ramp` then a growing share of the calls.
    HalfOpen,
    /// Calls are refused until somebody says otherwise.
    ForcedOpen,
    /// Calls pass and are recorded, but nothing opens it until somebody says otherwise.
    ForcedClosed,
    /// Calls pass and are not recorded.
    Disabled,
}

impl CircuitState {
    pub(super) const COUNT: usize = 6;

    /// Whether somebody said so, rather than what calls did.
    #[must_use]
    pub const fn is_manual(self) -> bool {
        matches!(self, Self::ForcedOpen | Self::ForcedClosed | Self::Disabled)
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::ForcedClosed => "forced closed",
            Self::Disabled => "disabled",
        })
    }
}

#[derive(Debug)]
pub(super) enum State {
    Closed,
    /// `until` is `NEVER` while a health check decides.
    Open {
        until: Nanos,
    },
    HalfOpen {
        probes: Vec<Probe>,
        successes: u32,
        slow: u32,
    },
    /// A growing share passes: `credit` gathers the shares of the calls until one is whole.
    Ramp {
        began: Nanos,
        credit: u32,
    },
    Manual(CircuitState),
}

/// A probe in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) place: Place,
    pub(super) started: Nanos,
    /// How many attempts it is.
    pub(super) calls: u32,
}

/// What an admitted call must show when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(super) generation: u32,
    pub(super) place: Place,
}

impl Ticket {
    /// That of a call which has not been admitted.
    pub(crate) const NONE: Self = Self { generation: 0, place: Place::NONE };
}

/// Those of attempts that were admitted together: by hand, and settled together.
#[derive(Clone, Copy, Debug)]
pub struct Tickets {
    pub(super) ticket: Ticket,
    pub(super) calls: u32,
}

impl Tickets {
    /// More than that are taken for that many: as many as a window can hold.
    pub(super) const MOST: u32 = 1_000_000;
}

/// Where a call in flight is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Place {
    /// Nowhere.
    pub(super) const NONE: Self = Self(0);

    /// Nowhere, for it would have been refused: the breaker is in the shadow.
    pub(super) const SHADOW: Self = Self(1);

    /// Among the calls whose time is watched.
    const WATCHED: u32 = 1 << 31;

    /// The probe of that number.
    pub(super) fn probe(number: u32) -> Self {
        Self((number % (Self::WATCHED - 2)) + 2)
    }

    pub(super) fn watched(index: u32) -> Self {
        Self(Self::WATCHED | index)
    }

    /// Nowhere, for a call whose time is watched no longer.
    pub(super) fn unless_watched(self) -> Self {
        if self.as_watched().is_some() { Self::NONE } else { self }
    }

    /// Its index among the calls whose time is watched.
    pub(super) fn as_watched(self) -> Option<u32> {
        (self.0 & Self::WATCHED != 0).then_some(self.0 & !Self::WATCHED)
    }
}
