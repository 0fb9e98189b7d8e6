//! Per-thread storage that one thread writes and any thread reads.

use std::{
    cell::Cell,
    sync::{Mutex, OnceLock, PoisonError},
};

/// Threads that own a slot; later ones share the last, with read-modify-writes.
pub(crate) const OWNED: usize = 16;

/// One `T` for each of the first threads, made on a thread's first use, and one for all the others.
///
/// A thread that ends hands its slot on, contents included, so sums over all slots never lose anything.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    owned: [OnceLock<Box<T>>; OWNED],
    shared: OnceLock<Box<T>>,
}

impl<T: Default> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { owned: [const { OnceLock::new() }; OWNED], shared: OnceLock::new() }
    }

    /// This thread's slot, and whether no other thread writes to it; `None` before its first use.
    #[inline]
    pub(crate) fn get(&self) -> Option<(&T, bool)> {
        match self.owned.get(index()) {
            Some(slot) => slot.get().map(|slot| (&**slot, true)),
            None => None,
        }
    }

    /// This thread's slot and its index, which is [`OWNED`] for the one that threads share.
    #[inline]
    pub(crate) fn indexed(&self) -> (&T, usize) {
        let (slot, owned) = self.local();
        (slot, if owned { index() } else { OWNED })
    }

    /// The slot of that index.
    #[inline]
    pub(crate) fn at(&self, index: usize) -> Option<&T> {
        self.owned.get(index).unwrap_or(&self.shared).get().map(AsRef::as_ref)
    }

    /// This thread's slot, and whether no other thread writes to it.
    #[inline]
    pub(crate) fn local(&self) -> (&T, bool) {
        match self.get() {
            Some(local) => local,
            None => self.first(),
        }
    }

    #[cold]
    fn first(&self) -> (&T, bool) {
        match self.owned.get(thread_index()) {
            Some(slot) => (slot.get_or_init(Box::default), true),
            None => (self.shared.get_or_init(Box::default), false),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.indices().map(|(_, slot)| slot)
    }

    /// All of them, and their indices.
    pub(crate) fn indices(&self) -> impl Iterator<Item = (usize, &T)> {
        let slots = self.owned.iter().chain([&self.shared]).enumerate();
        slots.filter_map(|(index, slot)| slot.get().map(|slot| (index, &**slot)))
    }
}

thread_local! {
    /// Read on the hot path: no destructor, so no check of its state.
    static INDEX: Cell<usize> = const { Cell::new(usize::MAX) };
    static CLAIM: Claim = Claim::new();
}

static FREE: Mutex<(Vec<usize>, usize)> = Mutex::new((Vec::new(), 0));

/// A thread's hold on its index, given back when the thread ends.
struct Claim(usize);

impl Claim {
    fn new() -> Self {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let index = free.0.pop().unwrap_or_else(|| {
            let next = free.1;
            free.1 += 1;
            next
        });
        Self(index)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A destructor that runs later on this thread counts in the shared slot.
        INDEX.set(SHARED);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).0.push(self.0);
    }
}

/// The index of a thread that owns none.
pub(super) const SHARED: usize = usize::MAX - 1;

/// This thread's index, once it has one.
#[cfg(not(shuttle))]
#[inline]
pub(super) fn index() -> usize {
    INDEX.get()
}

/// The model checker's threads come and go on one real one, which says whether they share a slot.
#[cfg(shuttle)]
pub(super) fn index() -> usize {
    if OWN_SLOTS.get() { shuttle::current::me().into() } else { SHARED }
}

#[cfg(shuttle)]
thread_local! {
    /// Whether each thread of the model that runs here owns a slot.
    pub(crate) static OWN_SLOTS: Cell<bool> = const { Cell::new(false) };
}

/// A number for this thread, small where few threads have run.
pub(crate) fn thread_index() -> usize {
    let index = index();
    if index == usize::MAX { claim() } else { index }
}

#[cold]
fn claim() -> usize {
    let index = CLAIM.try_with(|claim| claim.0).unwrap_or(SHARED);
    INDEX.set(index);
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn nothing_is_lost_with_more_threads_than_slots_and_with_threads_that_end() {
        let slots = Slots::<AtomicU64>::new();
        for _ in 0..3 {
            std::thread::scope(|scope| {
                for _ in 0..2 * OWNED {
                    scope.spawn(|| {
                        for _ in 0..1000 {
                            let (slot, owned) = slots.local();
                            if owned {
                                slot.store(slot.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                            } else {
                                slot.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    });
                }
            });
        }
        let sum: u64 = slots.iter().map(|slot| slot.load(Ordering::Relaxed)).sum();
        assert_eq!(sum, 3 * 2 * OWNED as u64 * 1000);
    }
}
