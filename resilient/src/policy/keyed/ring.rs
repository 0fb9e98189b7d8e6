//! Which instances are looked at for one to evict. Pure.

use super::fingerprint::Fingerprint;
use crate::time::Nanos;

/// The keys of all instances, and a hand that passes over them, a few at each new key.
#[derive(Debug)]
pub(super) struct Ring {
    keys: Vec<Fingerprint>,
    hand: usize,
    /// How many the hand has still to pass in its present search for idle ones.
    to_sweep: usize,
    /// When it begins the next.
    sweep_at: Nanos,
    /// Until then it rests, for it found nothing.
    rest_until: Nanos,
}

/// So many are looked at, at most, to find one to evict.
pub(super) const LOOKS: usize = 64;

/// After a search that found little, none is made for so long for each look: it takes a few hundredths of that time.
const BREATHER: Nanos = 4_000;

/// One in so many is little.
const LITTLE: usize = 16;

/// Which a search is longer than never.
const LONGEST: Nanos = 1_000_000_000;

/// One that the hand passed, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub(super) slot: usize,
    pub(super) key: Fingerprint,
}

impl Ring {
    pub(super) const fn new() -> Self {
        Self { keys: Vec::new(), hand: 0, to_sweep: 0, sweep_at: 0, rest_until: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn add(&mut self, key: Fingerprint) {
        self.keys.push(key);
    }

    /// Whether the key is still where it was passed.
    pub(super) fn holds(&self, passed: Passed) -> bool {
        self.keys.get(passed.slot) == Some(&passed.key)
    }

    /// The last one takes its slot: remove from the end.
    pub(super) fn remove(&mut self, slot: usize) {
        self.keys.swap_remove(slot);
    }

    /// The next ones, each at most once. Downwards, so that what takes the slot of one that is removed has been passed.
    pub(super) fn pass(&mut self, looks: usize) -> Vec<Passed> {
        let count = self.keys.len();
        let mut hand = self.hand;
        let passed = (0..looks.min(count)).map(|_| {
            hand = if hand == 0 || hand > count { count - 1 } else { hand - 1 };
            Passed { slot: hand, key: self.keys[hand] }
        });
        let passed = passed.collect();
        self.hand = hand;
        passed
    }

    /// How many to look at for idle ones: all of them in half of the time after which they are.
    pub(super) fn sweep(&mut self, now: Nanos, idle: Nanos) -> usize {
        if self.to_sweep == 0 && !waits(now, self.sweep_at, idle / 2) {
            self.sweep_at = now.saturating_add(idle / 2);
            self.to_sweep = self.keys.len();
        }
        let looks = self.to_sweep.min(LOOKS);
        self.to_sweep -= looks;
        looks
    }

    pub(super) fn rests(&self, now: Nanos) -> bool {
        waits(now, self.rest_until, LONGEST)
    }

    /// Perhaps, after so many looks that found so many. By the precise clock.
    pub(super) fn rest(&mut self, now: Nanos, looks: usize, found: usize) {
        if found * LITTLE < looks {
            self.rest_until = now.saturating_add((BREATHER * looks as Nanos).min(LONGEST));
        }
    }
}

/// A clock that stepped back puts nothing off for longer than `at_most`.
fn waits(now: Nanos, until: Nanos, at_most: Nanos) -> bool {
    now < until && until - now <= at_most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(keys: u128) -> Ring {
        let mut ring = Ring::new();
        (0..keys).for_each(|key| ring.add(Fingerprint(key)));
        ring
    }

    fn passed(ring: &mut Ring, looks: usize) -> Vec<u128> {
        ring.pass(looks).into_iter().map(|passed| passed.key.0).collect()
    }

    #[test]
    fn the_hand_passes_all_in_turn_and_none_twice_at_once() {
        let mut ring = ring(5);
        assert_eq!([passed(&mut ring, 2), passed(&mut ring, 2)], [[4, 3], [2, 1]]);
        assert_eq!(passed(&mut ring, 9), [0, 4, 3, 2, 1]);
        assert_eq!(passed(&mut ring, 3), [0, 4, 3]);
        // One that was passed takes its slot.
        ring.remove(3);
        assert_eq!(passed(&mut ring, 4), [2, 1, 0, 4]);
        assert!(Ring::new().pass(9).is_empty());
    }

    #[test]
    fn a_search_for_idle_ones_looks_at_a_few_at_a_time() {
        let mut ring = ring(100);
        let looks = |ring: &mut Ring, now| ring.sweep(now, 1000);
        assert_eq!([10, 11, 12].map(|now| looks(&mut ring, now)), [64, 36, 0]);
        assert_eq!([509, 510].map(|now| looks(&mut ring, now)), [0, 64]);
    }

    #[test]
    fn it_rests_after_it_found_little_and_a_clock_that_steps_back_does_not_lengthen_that() {
        let mut ring = ring(1);
        ring.rest(1 << 50, 64, 4);
        assert!(!ring.rests(1 << 50));
        ring.rest(1 << 50, 64, 3);
        assert!(ring.rests(1 << 50) && ring.rests((1 << 50) + 64 * BREATHER - 1));
        assert!(!ring.rests((1 << 50) + 64 * BREATHER) && !ring.rests(1 << 40));
    }
}
