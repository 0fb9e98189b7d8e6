//! The calls in flight whose time is watched: since when, and which of them have been counted as slow.
//!
//! A thread notes the calls that begin on it in places of its own, and whoever ends a call empties its place. Looking for
//! those that have become slow happens under the breaker's lock, and no more often than one could have.

use super::{state::Place, window::Position};
use crate::{
    stats::slots::{OWNED, Slots},
    sync::{
        Mutex,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::{Nanos, TICK, coarse, precise},
};
use std::sync::PoisonError;

/// Places of a thread. Calls that find none share a list with those of threads that own no line.
const PLACES: usize = 30;

/// The call has been counted, at the position that the other bits tell.
const COUNTED: u64 = 1 << 63;

/// When a call began, or where it was counted; 0 for none.
#[derive(Debug, Default)]
struct Since {
    word: AtomicU64,
    generation: AtomicU32,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Line([Since; PLACES]);

#[derive(Debug)]
pub(super) struct InFlight {
    lines: Slots<Line>,
    rest: Mutex<Vec<Since>>,
    /// Before this no call can have become slow.
    due: AtomicU64,
}

/// The clock by which a call is slow: the coarse one where its lag is at most a hundredth.
#[inline]
#[allow(clippy::absurd_extreme_comparisons, reason = "without a coarse clock there is no lag")]
pub(super) fn clock(after: Nanos) -> Nanos {
    if after / 100 >= TICK { coarse() } else { precise() }
}

/// What is known of a call that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// When it began.
    Since(Nanos),
    /// Where it was counted as slow.
    Counted(Position),
}

impl InFlight {
    pub(super) const fn new() -> Self {
        Self { lines: Slots::new(), rest: Mutex::new(Vec::new()), due: AtomicU64::new(0) }
    }

    /// Whether a call may have become slow.
    #[inline]
    pub(super) fn is_due(&self, now: Nanos) -> bool {
        now > self.due.load(Relaxed)
    }

    /// A call begins, and will be slow `after` that.
    #[inline]
    pub(super) fn begin(&self, generation: u32, now: Nanos, after: Nanos) -> Place {
        let now = now.max(1);
        let due = now.saturating_add(after);
        let place = self.note(generation, now);
        if self.due.load(Relaxed) > due {
            self.due.fetch_min(due, Relaxed);
        }
        place
    }

    #[inline]
    fn note(&self, generation: u32, now: Nanos) -> Place {
        if let Some((line, index)) = self.lines.own() {
            // Only this thread takes places here.
            let free = line.0.iter().position(|since| since.word.load(Acquire) == 0);
            if let Some(free) = free {
                line.0[free].generation.store(generation, Relaxed);
                line.0[free].word.store(now, Release);
                return place(index * PLACES + free);
            }
        }
        self.note_in_rest(generation, now)
    }

    #[cold]
    fn note_in_rest(&self, generation: u32, now: Nanos) -> Place {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let free = rest.iter().position(|since| since.word.load(Relaxed) == 0).unwrap_or_else(|| {
            rest.push(Since::default());
            rest.len() - 1
        });
        rest[free].generation.store(generation, Relaxed);
        rest[free].word.store(now, Relaxed);
        place(OWNED * PLACES + free)
    }

    fn at<R>(&self, index: u32, look: impl FnOnce(&Since) -> R) -> Option<R> {
        let index = index as usize;
        match index.checked_sub(OWNED * PLACES) {
            None => self.lines.owned(index / PLACES).map(|line| look(&line.0[index % PLACES])),
            Some(index) => {
                let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
                rest.get(index).map(look)
            }
        }
    }

    /// Ends a call that is not slow yet, without the breaker's lock; tells whether that was possible.
    #[inline]
    pub(super) fn end_fast(&self, index: u32, now: Nanos, after: Nanos) -> bool {
        let end = |since: &Since| {
            let began = since.word.load(Relaxed);
            began & COUNTED == 0
                && now.saturating_sub(began) <= after
                && since.word.compare_exchange(began, 0, AcqRel, Relaxed).is_ok()
        };
        self.at(index, end).unwrap_or(true)
    }

    /// Ends a call. Under the breaker's lock.
    pub(super) fn end(&self, index: u32) -> Option<Watched> {
        match self.at(index, |since| since.word.swap(0, AcqRel)) {
            None | Some(0) => None,
            Some(word) if word & COUNTED != 0 => Some(Watched::Counted(Position(word & !COUNTED))),
            Some(began) => Some(Watched::Since(began)),
        }
    }

    /// Counts those that have become slow, the earliest first; `count` says where, if it does. Under the breaker's
    /// lock.
    pub(super) fn sweep(
        &self,
        generation: u32,
        now: Nanos,
        after: Nanos,
        mut count: impl FnMut(Nanos) -> Option<Position>,
    ) {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.lines.iter().flat_map(|line| &line.0).chain(rest.iter());
        let (mut slow, mut due) = (Vec::new(), now.saturating_add(after));
        for since in all {
            let began = since.word.load(Acquire);
            if began == 0 || began & COUNTED != 0 || since.generation.load(Relaxed) != generation {
                continue;
            }
            let becomes_slow = began.saturating_add(after);
            if becomes_slow >= now {
                due = due.min(becomes_slow);
            } else if since.word.compare_exchange(began, COUNTED | began, AcqRel, Relaxed).is_ok() {
                // From here on the call needs the lock to end.
                slow.push((began, since));
            }
        }
        slow.sort_by_key(|(began, _)| *began);
        for (began, since) in slow {
            let position = count(began.saturating_add(after));
            since.word.store(position.map_or(began, |position| COUNTED | position.0), Release);
        }
        self.due.store(due, Relaxed);
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.lines.iter().flat_map(|line| &line.0).chain(rest.iter());
        all.filter(|since| since.word.load(Relaxed) != 0).count() as u64
    }
}

fn place(index: usize) -> Place {
    #[expect(clippy::cast_possible_truncation, reason = "fewer calls are in flight than there are numbers")]
    Place::watched(index as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(calls: &InFlight, now: Nanos) -> Vec<Nanos> {
        let mut found = Vec::new();
        calls.sweep(7, now, 100, |at| {
            found.push(at);
            Some(Position(at))
        });
        found
    }

    #[test]
    fn a_call_is_found_slow_once_and_when_it_ends_it_tells_where_it_was_counted() {
        let calls = InFlight::new();
        let places: Vec<_> = (1..=40).map(|now| calls.begin(7, now, 100).as_watched().unwrap()).collect();
        let of_another_state = calls.begin(6, 1, 100).as_watched().unwrap();
        assert_eq!(calls.count(), 41);
        assert_eq!(swept(&calls, 101), []);
        assert!(!calls.is_due(101) && calls.is_due(102));
        assert_eq!(swept(&calls, 102), [101]);
        assert!(!calls.is_due(102) && calls.is_due(103));
        assert!(calls.end_fast(places[39], 140, 100) && !calls.end_fast(places[38], 140, 100));
        assert_eq!(swept(&calls, 139), (102..139).collect::<Vec<_>>());
        assert!(!calls.end_fast(places[0], 50, 100));
        assert_eq!(calls.end(places[0]), Some(Watched::Counted(Position(101))));
        assert_eq!(calls.end(places[38]), Some(Watched::Since(39)));
        assert_eq!(calls.end(of_another_state), Some(Watched::Since(1)));
        assert_eq!(calls.count(), 37);
    }

    #[test]
    fn a_call_may_end_on_another_thread() {
        let calls = InFlight::new();
        let place = calls.begin(0, 5, 100).as_watched().unwrap();
        std::thread::scope(|scope| scope.spawn(|| assert!(calls.end_fast(place, 6, 100))).join().unwrap());
        assert_eq!(calls.count(), 0);
        assert_eq!(calls.begin(0, 7, 100).as_watched(), Some(place));
    }
}
