//! The numbers of a bulkhead in one word, so that either who leaves sees who waits, or who gets in line sees the free
//! place.
//!
//! From the lowest bit: places taken, calls that wait, the mode, an epoch that moves with the limit, and a count of those
//! who were admitted, which may run over at the top.

use crate::policy::mode::Mode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

/// Both of places taken and of waiters.
const BITS: u32 = 20;
const MASK: u64 = (1 << BITS) - 1;
const MODE: u32 = 2 * BITS;
const EPOCH: u32 = MODE + 2;
const COUNT: u32 = EPOCH + 2;

/// No more can wait.
pub(super) const MOST_WAITERS: u32 = MASK as u32;

/// Added for each waiter.
pub(super) const WAITER: u64 = 1 << BITS;

/// Added for each who is admitted.
pub(super) const ADMITTED: u64 = 1 << COUNT;

/// So many fit into a word.
pub(super) const COUNTED: u64 = 1 << (64 - COUNT);

/// What stops a newcomer: waiters and, where it is not [`Mode::On`], the mode.
pub(super) const STOPS: u64 = MASK << BITS | 3 << MODE;

impl Word {
    pub(super) const fn new(mode: Mode) -> Self {
        Self((mode as u64) << MODE)
    }

    pub(super) const fn taken(self) -> u32 {
        (self.0 & MASK) as u32
    }

    pub(super) const fn waiters(self) -> u32 {
        (self.0 >> BITS & MASK) as u32
    }

    pub(super) const fn mode(self) -> Mode {
        match self.0 >> MODE & 3 {
            0 => Mode::On,
            1 => Mode::Shadow,
            _ => Mode::Off,
        }
    }

    /// How many were admitted, of those that fit into a word.
    pub(super) const fn admitted(self) -> u64 {
        self.0 >> COUNT
    }

    /// Whether so many places are free under this limit. Who asks for more than a limit that has come down goes alone.
    #[inline(always)]
    pub(super) const fn fits(self, places: u32, limit: u32) -> bool {
        self.taken() + places <= limit || self.taken() == 0
    }

    /// With so many places taken, where they are free and nothing of `stops` is set.
    #[inline(always)]
    pub(super) const fn enter(self, places: u32, limit: u32, stops: u64) -> Option<Self> {
        if self.0 & stops == 0 && self.fits(places, limit) {
            Some(Self(self.0.wrapping_add(ADMITTED + places as u64)))
        } else {
            None
        }
    }

    pub(super) const fn with_mode(self, mode: Mode) -> Self {
        Self(self.0 & !(3 << MODE) | (mode as u64) << MODE)
    }

    pub(super) const fn next_epoch(self) -> Self {
        let next = (self.0 >> EPOCH).wrapping_add(1) & 3;
        Self(self.0 & !(3 << EPOCH) | next << EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_runs_into_another() {
        let mut word = Word::new(Mode::Shadow);
        word = Word(word.0 + WAITER * u64::from(MOST_WAITERS)).next_epoch().next_epoch().next_epoch();
        for _ in 0..3 {
            word = word.enter(300_000, 1_000_000, 0).unwrap();
        }
        assert_eq!(word.enter(300_000, 1_000_000, 0), None);
        assert_eq!((word.taken(), word.waiters(), word.admitted()), (900_000, MOST_WAITERS, 3));
        assert_eq!(word.mode(), Mode::Shadow);
        let word = word.next_epoch().with_mode(Mode::Off);
        assert_eq!((word.taken(), word.waiters(), word.admitted()), (900_000, MOST_WAITERS, 3));
        assert_eq!(word.mode(), Mode::Off);
        let full = Word(u64::MAX << COUNT).enter(1, 1, STOPS).unwrap();
        assert_eq!(full, Word(1));
    }

    #[test]
    fn who_asks_for_more_than_a_limit_that_came_down_goes_alone() {
        let word = Word::new(Mode::On);
        let alone = word.enter(5, 2, STOPS).unwrap();
        assert_eq!(alone.enter(1, 2, STOPS), None);
        assert_eq!(word.enter(1, 2, STOPS).unwrap().enter(5, 2, STOPS), None);
    }
}
