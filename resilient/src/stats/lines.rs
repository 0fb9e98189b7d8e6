//! Per-thread storage of what there may be many of, most of them used by few threads.

use super::slots::{OWNED, SHARED, Slots, index, thread_index};
use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// One `T` for the first thread that comes, and others for the others: one for all of these where there are many of it,
/// until they get in each other's way; otherwise one each, as [`Slots`] have it.
#[derive(Debug)]
pub(crate) struct Lines<T> {
    /// The index of the first thread, or of one that has come after its end.
    owner: AtomicUsize,
    first: OnceLock<Box<T>>,
    second: OnceLock<Box<T>>,
    spread: OnceLock<Box<Slots<T>>>,
}

/// The number of the first; below are those of the slots.
const FIRST: usize = OWNED + 1;
const SECOND: usize = OWNED + 2;

/// Where a thread writes.
#[derive(Debug)]
pub(crate) struct Local<'a, T> {
    pub(crate) line: &'a T,
    /// What it is called in [`Lines::at`], below 32.
    pub(crate) number: usize,
    /// No other thread writes there.
    pub(crate) owned: bool,
}

impl<T: Default> Lines<T> {
    pub(crate) const fn new() -> Self {
        Self {
            owner: AtomicUsize::new(SHARED),
            first: OnceLock::new(),
            second: OnceLock::new(),
            spread: OnceLock::new(),
        }
    }

    /// This thread's. `is_one_of_many`: whether there are many of these lines.
    #[inline]
    pub(crate) fn local(&self, is_one_of_many: impl FnOnce() -> bool) -> Local<'_, T> {
        if self.owner.load(Relaxed) == index() {
            if let Some(line) = self.first.get() {
                return Local { line, number: FIRST, owned: true };
            }
        }
        match self.spread.get() {
            Some(slots) => of_slots(slots),
            None => self.other(is_one_of_many()),
        }
    }

    #[cold]
    fn other(&self, is_one_of_many: bool) -> Local<'_, T> {
        let me = thread_index();
        if me != SHARED {
            let line = self.first.get_or_init(|| {
                self.owner.store(me, Relaxed);
                Box::default()
            });
            if self.owner.load(Relaxed) == me {
                return Local { line, number: FIRST, owned: true };
            }
        }
        if is_one_of_many && self.spread.get().is_none() {
            return Local { line: self.second.get_or_init(Box::default), number: SECOND, owned: false };
        }
        of_slots(self.spread.get_or_init(|| Box::new(Slots::new())))
    }

    /// Threads got in each other's way.
    #[cold]
    pub(crate) fn spread(&self) {
        self.spread.get_or_init(|| Box::new(Slots::new()));
    }

    /// The one of that number.
    #[inline]
    pub(crate) fn at(&self, number: usize) -> Option<&T> {
        match number {
            FIRST => self.first.get().map(AsRef::as_ref),
            SECOND => self.second.get().map(AsRef::as_ref),
            _ => self.spread.get()?.at(number),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.numbered().map(|(_, line)| line)
    }

    /// All of them, and their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &T)> {
        let slots = self.spread.get().into_iter().flat_map(|slots| slots.indices());
        [FIRST, SECOND].into_iter().filter_map(|number| Some((number, self.at(number)?))).chain(slots)
    }
}

#[inline]
fn of_slots<T: Default>(slots: &Slots<T>) -> Local<'_, T> {
    let (line, number) = slots.indexed();
    Local { line, number, owned: number < OWNED }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use std::{sync::atomic::AtomicU64, thread};

    fn count(lines: &Lines<AtomicU64>, is_one_of_many: bool) {
        let Local { line, owned, number } = lines.local(|| is_one_of_many);
        assert!(std::ptr::eq(lines.at(number).unwrap(), line));
        if owned {
            line.store(line.load(Relaxed) + 1, Relaxed);
        } else {
            line.fetch_add(1, Relaxed);
        }
    }

    fn counted(lines: &Lines<AtomicU64>) -> u64 {
        lines.iter().map(|line| line.load(Relaxed)).sum()
    }

    #[test]
    fn one_of_many_takes_two_lines_however_many_threads_come_until_they_get_in_each_others_way() {
        let lines = Lines::new();
        let crowd = |is_one_of_many| {
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| (0..1000).for_each(|_| count(&lines, is_one_of_many)));
                }
            });
        };
        count(&lines, true);
        crowd(true);
        assert_eq!((counted(&lines), lines.iter().count()), (8001, 2));
        lines.spread();
        crowd(true);
        assert_eq!(counted(&lines), 16_001);
        assert!(lines.iter().count() > 2);
    }

    #[test]
    fn nothing_is_lost_with_more_threads_than_slots_and_with_threads_that_end() {
        let lines = Lines::new();
        for _ in 0..3 {
            thread::scope(|scope| {
                for _ in 0..2 * OWNED {
                    scope.spawn(|| (0..1000).for_each(|_| count(&lines, false)));
                }
            });
        }
        assert_eq!(counted(&lines), 3 * 2 * OWNED as u64 * 1000);
    }
}
