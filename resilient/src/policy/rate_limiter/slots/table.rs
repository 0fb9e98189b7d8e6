//! Where the slots are.

use super::{
    SlotKey,
    set::{Set, Slot, WAYS},
};
use crate::sync::{Mutex, MutexGuard};
use std::sync::PoisonError;

#[derive(Debug)]
pub(super) struct Table {
    sets: Box<[Set]>,
    stripes: Box<[Stripe]>,
}

/// What some of the sets share.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Stripe {
    /// Held to give a slot to another key, and with it how many were taken from keys in use.
    evicted: Mutex<u64>,
}

const STRIPES: usize = 64;

impl Table {
    #[cold]
    pub(super) fn new(max_keys: u32) -> Self {
        // Three slots for two keys: were all of them in use at once, one in a hundred would find its set full.
        let sets = (max_keys as usize * 3).div_ceil(2 * WAYS);
        let stripe = |_| Stripe { evicted: Mutex::new(0) };
        Self { sets: (0..sets).map(|_| Set::new()).collect(), stripes: (0..STRIPES.min(sets)).map(stripe).collect() }
    }

    #[inline(always)]
    pub(super) fn set(&self, key: SlotKey) -> &Set {
        &self.sets[key.index(self.sets.len())]
    }

    /// The same one for all keys of a set.
    pub(super) fn stripe(&self, key: SlotKey) -> &Stripe {
        &self.stripes[key.index(self.sets.len()) % self.stripes.len()]
    }

    /// How many keys in use have lost their slot.
    pub(super) fn evicted(&self) -> u64 {
        self.stripes.iter().map(|stripe| *stripe.lock()).sum()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.sets.iter().flat_map(Set::iter)
    }
}

impl Stripe {
    pub(super) fn lock(&self) -> MutexGuard<'_, u64> {
        self.evicted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
